"""What a followed redirect counts as: the first response of Locust's two HTTP clients. No Locust here."""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from slocheck.errors import chain_of


@dataclass(frozen=True, slots=True)
class Redirect:
    """The first response of a request that was redirected.

    Attributes:
        status: Its status code.
        location: Where it leads, as written.
        path: The path that the last response came from; empty where none came.
        elsewhere: It leads to another host and was not followed.
    """

    status: int
    location: str
    path: str = ""
    elsewhere: bool = False


class ElsewhereError(Exception):
    """A redirect to another host, which is not followed; the clients' own errors have it as a base, too.

    Attributes:
        redirect: The response that leads there.
    """

    redirect: Redirect


def first_redirect(response: object, error: BaseException | None) -> Redirect | None:
    """Return the redirect that a request began with; None where it was not redirected."""
    for cause in chain_of(error) if error is not None else ():
        if isinstance(cause, ElsewhereError):
            return cause.redirect
    history = getattr(response, "history", None)
    if not isinstance(history, list) or not history:
        return None
    first, last = history[0], history[-1]
    path = urlsplit(urljoin(str(last.url), _location(last))).path
    return Redirect(int(first.status_code), _location(first), path)


def _location(response: object) -> str:
    headers = getattr(response, "headers", None) or {}
    return str(headers.get("location") or "")
