"""Further queries: custom objectives, and what a dashboard would show."""
