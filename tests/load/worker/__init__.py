"""Tests of ``slocheck.load.worker``."""
