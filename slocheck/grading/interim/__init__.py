"""Grades of a run that still goes on: for its view, and to end it early."""
