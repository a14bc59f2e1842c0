"""Tests of ``slocheck.sources.prometheus``."""
