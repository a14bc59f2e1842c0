"""Earlier runs."""
