"""Servers that tests talk to: targets, metrics pages, Prometheus, nginx, Redis."""
