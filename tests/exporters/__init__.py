"""Tests of slocheck/exporters."""
