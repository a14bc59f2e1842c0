"""``slocheck`` and ``python -m slocheck``: Ctrl-C ends it without a traceback even while it is loading."""

import sys

from slocheck.errors import SIGNAL_EXIT_CODES


def start() -> None:
    """Load the command line and run it; the process ends with the contract's exit code."""
    try:
        from slocheck.cli import main  # noqa: PLC0415 - what takes time is loaded where an interrupt is caught

        main()
    except KeyboardInterrupt:
        sys.stderr.write("slocheck: interrupted by SIGINT\n")
        sys.exit(SIGNAL_EXIT_CODES["SIGINT"])


if __name__ == "__main__":
    start()
