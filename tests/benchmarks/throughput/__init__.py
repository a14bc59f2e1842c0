"""Requests a second of one core, beside other load generators: ``python -m tests.benchmarks.throughput``."""
