"""Tests of ``slocheck.load.network``."""
