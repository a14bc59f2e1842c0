"""How a redirect counts: by its first response and the path that it leads to. No Locust here."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from slocheck.documents.http import host_and_port
from slocheck.errors import chain_of
from slocheck.load.recording.outcome import fields_of
from slocheck.spec.model.rules import redirect_path

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
"""Status codes with a `Location` that a client may follow."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """The first response of a request that was redirected.

    Attributes:
        status: Its status code.
        location: Where it leads, as written.
        path: The path that the last response came from or, if it was not followed, the path that it leads
            to. Empty if there is none on the same host.
        followed: The client followed it, or refused to because it leads to another host.
        elsewhere: It leads to another host.
    """

    status: int
    location: str
    path: str = ""
    followed: bool = True
    elsewhere: bool = False


class ElsewhereError(Exception):
    """A redirect to another host, which is not followed; also a base of the clients' own errors.

    Attributes:
        redirect: The response that leads there.
    """

    redirect: Redirect


def origin_of(url: str) -> tuple[str, str, int | str]:
    """Return scheme, host and port of a URL; a redirect may not change them."""
    parts = urlsplit(url)
    try:
        return parts.scheme, *host_and_port(url)
    except ValueError:
        return parts.scheme, parts.hostname or "", parts.netloc


def first_redirect(response: object, error: BaseException | None) -> Redirect | None:
    """Return the redirect with which a request began; None if it was not redirected."""
    for cause in chain_of(error) if error is not None else ():
        if isinstance(cause, ElsewhereError):
            return cause.redirect
    history = getattr(response, "history", None)
    if isinstance(history, list) and history and isinstance(_status(history[0]), int):
        first, last = history[0], history[-1]
        path = redirect_path(str(getattr(last, "url", "")), _location(last))
        return Redirect(int(first.status_code), _location(first), path)
    status = _status(response)
    if isinstance(status, int) and status in REDIRECT_STATUSES and (location := _location(response)):
        path = redirect_path(str(getattr(response, "url", "")), location)
        return Redirect(status, location, path, followed=False)
    return None


def _status(response: object) -> object:
    return getattr(response, "status_code", None)


def _location(response: object) -> str:
    return str((fields_of(response) or {}).get("location") or "")
