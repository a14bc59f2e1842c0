"""Metric sources: one file each, with the helpers that they share beside them."""
