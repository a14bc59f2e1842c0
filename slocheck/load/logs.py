"""Log messages of the load processes: all from the Locust file, and the warnings from Locust."""

import logging


def show_logs() -> None:
    """Write them to stderr, from where the command line copies them to the run's log."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("locust").setLevel(logging.WARNING)
