"""The libraries that only the real parts need, which the extra ``reference-api`` installs."""

from collections.abc import Iterator
from contextlib import contextmanager

from slocheck.errors import UsageError

EXTRA = 'pip install "slocheck[reference-api]"'


@contextmanager
def needs(library: str) -> Iterator[None]:
    """Import what an extra installs; raises UsageError that names the extra if it is not there."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        raise UsageError(f"{library} is not installed; run: {EXTRA}") from error
