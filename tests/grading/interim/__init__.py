"""Grades of a run in progress."""
