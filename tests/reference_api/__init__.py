"""Unit tests of the reference API."""
