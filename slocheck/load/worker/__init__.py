"""A worker process: generates a share of the load and reports on it each second."""
