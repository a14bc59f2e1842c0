"""How far a request of Locust's two clients got: one that fails before it asks for a connection was not sent.

A client builds some parts of a request before it has a connection and some after, so the error alone does
not tell. A request is under way while a connection is made for it, and while its client waits for its
response. A failure at any other time that does not come from the network happened while the request was
built: it is the scenario's fault, and the target has seen nothing.
"""

import functools
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import geventhttpclient.connectionpool
import geventhttpclient.response
import requests
import urllib3.connection
from locust import clients

from slocheck.documents.http import TOKEN_CHARACTER
from slocheck.load.recording.in_flight import InFlightRequest

CURRENT: ContextVar[InFlightRequest | None] = ContextVar("current request", default=None)
"""The request that the running greenlet is sending."""
_TOKEN = re.compile(f"{TOKEN_CHARACTER}+")


def install() -> None:
    """Follow the requests of this process, for the life of the process."""
    for owner, name, follow in (
        (urllib3.connection.HTTPConnection, "connect", _connects),
        (urllib3.connection.HTTPSConnection, "connect", _connects),
        (urllib3.connection.HTTPConnection, "getresponse", _waits),
        (geventhttpclient.connectionpool.ConnectionPool, "_create_socket", _connects),
        (geventhttpclient.connectionpool.ConnectionPool, "get_socket", _holds),
        (clients.HttpSession, "prepare_request", _checked),
        (geventhttpclient.response.HTTPSocketPoolResponse, "__init__", _waits),
    ):
        setattr(owner, name, follow(getattr(owner, name)))


def _connects(original: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the current request while a connection is made for it."""

    @functools.wraps(original)
    def connect(*args: Any, **kwargs: Any) -> Any:
        request = CURRENT.get()
        if request is None or request.under_way:
            return original(*args, **kwargs)
        request.under_way = True
        connected = original(*args, **kwargs)
        request.under_way = False  # nothing of it has been sent yet
        return connected

    return connect


def _holds(original: Callable[..., Any]) -> Callable[..., Any]:
    """Note which connection the current request of `FastHttpUser` holds.

    If the request could not be written to it and it is not returned, the pool waits for it forever.
    """

    @functools.wraps(original)
    def get_socket(self: Any) -> Any:
        held = original(self)
        request = CURRENT.get()
        if request is not None:
            request.give_back = functools.partial(self.release_socket, held)
        return held

    return get_socket


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse requests that `HttpUser` would send malformed or changed.

    These are invalid methods, invalid header names, and paths that begin with two slashes, of which it would
    drop one.
    """

    @functools.wraps(original)
    def prepare_request(*args: Any, **kwargs: Any) -> Any:
        prepared = original(*args, **kwargs)
        if not _TOKEN.fullmatch(prepared.method or ""):
            raise requests.exceptions.InvalidHeader(f"{prepared.method!r} is not an HTTP method")
        if (prepared.path_url or "").startswith("//"):
            raise requests.exceptions.InvalidURL(f"{prepared.path_url!r} begins with two slashes; write one")
        for name in prepared.headers:
            text = name.decode("latin-1") if isinstance(name, bytes) else name
            if not _TOKEN.fullmatch(text):
                raise requests.exceptions.InvalidHeader(f"{text!r} is not the name of a header")
        return prepared

    return prepare_request


def _waits(original: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the current request when its client begins to wait for the response."""

    @functools.wraps(original)
    def wait(*args: Any, **kwargs: Any) -> Any:
        request = CURRENT.get()
        if request is not None:
            request.under_way = True
        return original(*args, **kwargs)

    return wait
