"""Messages on stderr: foreign text in them is cleaned, and secrets of the environment do not show."""

import sys
import traceback


def say(text: str) -> None:
    """Print a message of one line or several; nothing in it is obeyed by a terminal or a CI runner."""
    from slocheck.masking import environment_secrets, mask  # noqa: PLC0415 - --help stays light
    from slocheck.reporters.escape import for_terminal_lines  # noqa: PLC0415 - as above

    print(for_terminal_lines(mask(text, environment_secrets())), file=sys.stderr)


def say_traceback() -> None:
    """Print the traceback of the exception that is being handled."""
    say(traceback.format_exc().rstrip("\n"))
