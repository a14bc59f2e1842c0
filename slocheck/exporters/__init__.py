"""Specs for other tools: one module for each, and their table."""

from collections.abc import Callable

from slocheck.exporters.kubernetes import render as kubernetes
from slocheck.exporters.request import Request

EXPORTERS: dict[str, Callable[[Request], str]] = {"kubernetes": kubernetes}
"""Name of a tool to the function that returns the text for it."""
