"""Log messages of the load processes: all of the Locust file's, and of Locust itself the warnings."""

import logging


def show_logs() -> None:
    """Write them to stderr, where the command line takes them for the run's log."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("locust").setLevel(logging.WARNING)
