"""Specs with one thing broken, by block, and the messages that they get."""
