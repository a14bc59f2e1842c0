"""Services with common metric libraries, set up as their documentation shows."""
