"""The messages between master, workers and the command line."""
