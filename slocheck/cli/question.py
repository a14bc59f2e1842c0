"""A question to the person at the terminal."""

import sys
from collections.abc import Callable

from slocheck.reporters.escape import for_terminal


def asker() -> Callable[[str], bool] | None:
    """Return a function that asks a yes-or-no question; None without a person at a terminal."""
    return _ask if sys.stdin.isatty() and sys.stderr.isatty() else None


def _ask(question: str) -> bool:
    print(f"{for_terminal(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
