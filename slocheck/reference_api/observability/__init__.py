"""What the API reports about itself: metrics, traces, and outages."""
