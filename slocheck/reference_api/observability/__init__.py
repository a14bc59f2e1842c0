"""What the API tells of itself: metrics and traces."""
