"""Runs whose workers are on other machines: network namespaces, or processes on loopback."""
