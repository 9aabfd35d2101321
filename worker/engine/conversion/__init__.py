"""dlib's model files: reading them, and writing them as ONNX."""
