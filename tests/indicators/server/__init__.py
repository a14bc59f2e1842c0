"""Tests of ``slocheck.indicators.server``."""
