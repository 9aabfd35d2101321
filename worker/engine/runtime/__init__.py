"""What the networks run in: our own kernels, ONNX Runtime, OpenVINO, CUDA."""
