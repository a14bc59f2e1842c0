"""Tests of ``slocheck.promql``."""
