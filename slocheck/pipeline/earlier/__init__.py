"""Earlier runs in the reports folder: reading, comparing and removing them."""
