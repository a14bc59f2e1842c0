"""Tests of ``slocheck.indicators``."""
