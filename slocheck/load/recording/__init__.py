"""Counts the result of each request, by second."""
