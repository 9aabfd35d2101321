"""dlib's encoder in kernels of our own: the same numbers as in a runtime, in about half of the time.

A runtime spends what the processor's multipliers allow: dlib's ResNet has a quarter of a billion multiplications
a chip, and its convolutions of 3 x 3 are most of them. `winograd` needs 2.25 to 4 times fewer for these. The rest
(strides, the first layer) is in `plain`, pooling in `pools`; all rest on one `product` of small matrices that
stays in registers. `maps` lays out what flows between the layers, `resnet` is the network.

Everything is float32, on one thread, on any processor that LLVM knows; the chips of a call share each reading of
the weights. As the kernels of `worker.engine.hog`, these are compiled by Numba at set-up.
"""
