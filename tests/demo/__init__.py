"""Tests of the reference API."""
