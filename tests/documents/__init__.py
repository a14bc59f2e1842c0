"""Tests of ``slocheck.documents``."""
