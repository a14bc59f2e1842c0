"""slocheck: does an API meet its SLOs under load?"""

__version__ = "0.1.0"
