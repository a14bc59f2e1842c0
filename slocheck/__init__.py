"""slocheck: does an API keep its SLOs under load?"""

__version__ = "0.1.0"
