"""What is asked of the target before the load."""
