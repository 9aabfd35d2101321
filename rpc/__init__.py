"""The gRPC server: the same pictures, answers, keys and limits as `rest`, by `facefleet.proto`."""
