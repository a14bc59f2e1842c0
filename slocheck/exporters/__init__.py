"""What a spec becomes for other tools: one module for each, and the table of them."""

from collections.abc import Callable

from slocheck.exporters.kubernetes import render as kubernetes
from slocheck.exporters.request import Request

EXPORTERS: dict[str, Callable[[Request], str]] = {"kubernetes": kubernetes}
"""Each returns one text, ready for the tool that it is named after."""
