"""Kernels compiled by Numba, and values of many numbers for them.

`kernel` says how kernels are compiled, `processor` for what. `lanes` gives them vectors that stay in registers,
`arithmetic` and `shuffles` the operations on these, and `memory` arrays that are read as other types.
"""
