"""Limits the hosts that a process of the load may connect to, for everything in it that uses the network."""
