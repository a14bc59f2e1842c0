"""What an importer finds: the steps of one flow, and what it left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urlsplit

from slocheck.documents.reader import InvalidValue
from slocheck.documents.urls import check_url
from slocheck.errors import UsageError
from slocheck.importers.secrecy import path_has_secret

SAFE_METHODS = frozenset({"GET", "HEAD"})
"""The methods that are imported by default: they change nothing at the target."""

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
"""The methods that a scenario can send."""

_WRITABLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "\\")


@dataclass(frozen=True, slots=True)
class ImportedStep:
    """One request.

    Attributes:
        method: In capitals.
        path: Path and query, as a scenario writes it: braces stand for placeholders.
        name: Of the endpoint; empty: its path.
        status: What a correct response has.
        headers: Sent with it, without credentials.
        body: Sent with it as written; empty: none.
    """

    method: str
    path: str
    name: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario of one flow.

    Attributes:
        target: Base address.
        steps: In their order, at least one.
        feeders: YAML of each feeder by its name.
        service: Name of the service; empty: unknown.
        left_out: Sentences about what was not imported, and why.
    """

    target: str
    steps: tuple[ImportedStep, ...]
    feeders: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    left_out: tuple[str, ...] = ()


def split_address(url: str, what: str) -> tuple[str, str]:
    """Split an address into the base of a target, and path and query as a scenario writes them.

    Args:
        url: Complete, with scheme and host.
        what: Where it was written, for messages: ``--url``.

    Raises:
        UsageError: It cannot be used, or holds a secret; the message does not show it.
    """
    without_fragment = url.partition("#")[0]
    try:
        check_url(without_fragment, page=True)
    except InvalidValue as error:
        raise UsageError(f"{what}: {error}") from error
    parts = urlsplit(without_fragment)
    if path_has_secret(parts.path):
        raise UsageError(f"{what}: the path holds what may be a credential; give an address without it")
    return f"{parts.scheme}://{parts.netloc}", as_written(path_of(parts))


def usable_base(base: str) -> bool:
    """Tell whether an address can be the target of a spec."""
    try:
        check_url(base)
    except InvalidValue:
        return False
    return True


def encoded(url: str) -> str:
    """Return an address with all that is not printable ASCII in path and query percent-encoded.

    Raises:
        ValueError: Its host, port or characters cannot be read.
    """
    parts = urlsplit(url)
    path, query = quote(parts.path, safe=_WRITABLE), quote(parts.query, safe=_WRITABLE)
    return parts._replace(path=path, query=query).geturl()


def path_of(parts: SplitResult) -> str:
    """Return the path and query of an address, at least ``/``."""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def as_written(text: str) -> str:
    """Return a text as a scenario writes it, in which braces stand for placeholders."""
    return text.replace("{", "{{").replace("}", "}}")
