"""A second host, and runs that try to reach it."""
