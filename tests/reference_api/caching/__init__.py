"""Caching in the reference API."""
