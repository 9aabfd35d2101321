"""Probes and memory of a worker."""
