"""Messages on stderr: foreign text in them is cleaned, and secrets of the environment do not show."""

import os
import sys
import threading
import traceback
from collections.abc import Iterator

UNKNOWN_WIDTH = 80


def say(text: str) -> None:
    """Print a message of one line or several; nothing in it is obeyed by a terminal or a CI runner."""
    shown = _safe(text)
    print("\n".join(_fitted(shown)) if sys.stderr.isatty() else shown, file=sys.stderr)


def _safe(text: str) -> str:
    from slocheck.masking import environment_secrets, mask  # noqa: PLC0415 - --help stays light
    from slocheck.reporters.escape import for_terminal_lines  # noqa: PLC0415 - as above

    return for_terminal_lines(mask(text, environment_secrets()))


def _fitted(text: str) -> Iterator[str]:
    """Yield lines that a terminal does not break within a word."""
    from slocheck.reporters.terminal.fit import fitted  # noqa: PLC0415 - as above

    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns or UNKNOWN_WIDTH
    except OSError:
        width = UNKNOWN_WIDTH
    for line in text.split("\n"):
        yield from fitted(line, width)


def say_traceback(error: BaseException) -> None:
    """Print the traceback of an exception, its lines as they are."""
    from slocheck.masking import hidden_in, mask  # noqa: PLC0415 - as above

    text = mask("".join(traceback.format_exception(error)).rstrip("\n"), hidden_in(error))
    print(_safe(text), file=sys.stderr)


def say_end_of_thread(found: threading.ExceptHookArgs) -> None:
    """Print the exception that ended a thread; what the thread was for notices its end by itself."""
    if found.exc_value is not None:
        say_traceback(found.exc_value)
