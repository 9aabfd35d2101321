"""What the benchmarks measure ours beside."""
