"""Real servers, and runs of the real command line and load engine."""
