"""The libraries that only the real parts need, which the extra ``reference-api`` installs."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from slocheck.errors import UsageError

LIBRARIES = ("granian", "opentelemetry", "psycopg", "psycopg_pool", "redis", "taskiq", "taskiq_redis")
"""The libraries of the extra that a part needs."""
EXTRA = 'pip install "slocheck[reference-api]"'


@contextmanager
def needs(library: str) -> Iterator[None]:
    """Import what an extra installs; raises UsageError that names the extra if it is missing."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        raise UsageError(f"{library} is not installed; run: {EXTRA}") from error


def require_all() -> None:
    """Import all that the extra installs; raises UsageError that names the extra if one is missing."""
    for library in LIBRARIES:
        with needs(library):
            import_module(library)
