"""Probes, memory limit and watchdog of a worker."""
