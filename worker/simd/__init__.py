"""Kernels compiled by Numba, and values of many numbers for them.

`kernel` says how kernels are compiled, `processor` for what, `lanes` gives them vectors that stay in registers,
`shuffles` the operations that move numbers within these.
"""
