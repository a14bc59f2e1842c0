"""How far a request of Locust's two clients got: what fails before it asks for a connection was never sent.

A client builds parts of a request before it has a connection and parts after that, so the errors alone do
not tell. A request is under way while a connection is made for it, and from when its response is waited for.
What fails at any other time, and not in the network, failed while the request was built: that is the
scenario's doing, and the target has seen nothing.
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
    """Follow the requests of this process for as long as it lives."""
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

    Its pool waits for ever for one that is not given back because the request could not be written to it.
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
    """Refuse what `HttpUser` would send as it is, or as something else than what was written.

    That is what is not a method or a header's name in HTTP, and a path of two slashes, of which it takes one
    away.
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
    """Mark the current request from when its response is waited for."""

    @functools.wraps(original)
    def wait(*args: Any, **kwargs: Any) -> Any:
        request = CURRENT.get()
        if request is not None:
            request.under_way = True
        return original(*args, **kwargs)

    return wait
