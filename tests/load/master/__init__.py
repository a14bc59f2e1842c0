"""Tests of ``slocheck.load.master``."""
