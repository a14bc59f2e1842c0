"""Tests of ``slocheck.pipeline``."""
