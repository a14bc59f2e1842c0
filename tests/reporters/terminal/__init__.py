"""Tests of ``slocheck.reporters.terminal``."""
