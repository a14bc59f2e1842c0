"""Queries of the user: custom objectives, and what a dashboard would show."""
