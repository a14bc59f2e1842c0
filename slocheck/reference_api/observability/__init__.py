"""What the API tells of itself: metrics, traces, and what is gone."""
