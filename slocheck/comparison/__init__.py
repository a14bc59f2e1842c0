"""Runs beside each other: what of them can be compared, and whether a change is more than chance."""
