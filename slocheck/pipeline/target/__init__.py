"""Checks of the target before the load."""
