"""Tests of ``slocheck.statistics``."""
