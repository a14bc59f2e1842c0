"""What is sent to the target before the load."""
