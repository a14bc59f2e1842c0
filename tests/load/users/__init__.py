"""Tests of ``slocheck.load.users``."""
