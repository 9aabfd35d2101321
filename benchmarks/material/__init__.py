"""The pictures and films that the benchmarks work on."""
