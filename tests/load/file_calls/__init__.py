"""Calls of a Locust file that end its run."""
