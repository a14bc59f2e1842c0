"""Tests of ``slocheck.sources.scrape``."""
