"""Tests of ``slocheck.load.recording``."""
