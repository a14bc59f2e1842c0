"""Benchmarks; run one by one, on an otherwise idle machine."""
