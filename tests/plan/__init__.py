"""Tests of ``slocheck.plan``."""
