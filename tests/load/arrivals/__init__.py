"""Tests of ``slocheck.load.arrivals``."""
