"""Tests of declarative scenarios."""
