"""Grades of a run in progress: for the live view, and to end it early."""
