"""Calls of a Locust file that end its run, because Locust would end a process or change the load."""
