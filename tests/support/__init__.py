"""Servers and waiting that several tests need."""
