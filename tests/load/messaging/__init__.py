"""Tests of ``slocheck.load.messaging``."""
