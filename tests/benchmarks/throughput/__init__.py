"""Requests per second and core, next to other load generators: ``python -m tests.benchmarks.throughput``."""
