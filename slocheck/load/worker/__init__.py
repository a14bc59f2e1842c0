"""A worker process: it generates a share of the load and reports on it each second."""
