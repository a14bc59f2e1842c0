"""Runs compared: what can be compared, and whether a change is more than chance."""
