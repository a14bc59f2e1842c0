"""Tests of slocheck.reporters."""
