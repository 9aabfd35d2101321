"""dlib's two networks in kernels of our own: the same numbers as in a runtime, in about half of the time.

A runtime spends what the processor's multipliers allow: dlib's ResNet has a quarter of a billion multiplications
a chip, most of them in convolutions of 3 x 3. Winograd's filtering needs 2.25 to 5 times fewer for these, and up
to 6 times fewer for the detector's 5 x 5.

`toom_cook` computes the filtering's matrices, `transform` turns them into code, `product` multiplies in registers,
`record` is what a step holds, `steps` are the layers' kernels, `filters` and `program` lay a network out for them;
`resnet` and `detector` are the networks. Everything is float32, on one thread, on any processor that LLVM knows;
the chips of a call share each reading of the weights. As the kernels of `worker.engine.detection.hog`, these are
compiled by Numba at set-up.
"""
