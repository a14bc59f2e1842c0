"""Earlier runs in the reports folder: read back, compared with, and removed."""
