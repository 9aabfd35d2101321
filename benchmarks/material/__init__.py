"""The pictures, films and drawn faces that the benchmarks work on."""
