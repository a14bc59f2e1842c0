"""Calls of a Locust file that end its run, where Locust would end a process or change the load."""
