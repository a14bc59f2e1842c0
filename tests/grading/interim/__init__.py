"""Grades of a run that still goes on."""
