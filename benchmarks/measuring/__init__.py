"""How the benchmarks measure: trials on pairs, bars on qualities, and what the processor allows."""
