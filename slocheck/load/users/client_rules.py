"""What Locust's HTTP clients may not do unnoticed: use a proxy, send twice, follow a redirect elsewhere.

The Locust file can change its clients' adapters and proxies at any time. So they are not checked in the
file but disabled where the clients use them, with one warning.
"""

import functools
import logging
import urllib.request
from typing import Any

import geventhttpclient.client
import requests
import requests.adapters
import urllib3
from locust import clients

from slocheck.load.recording.outcome import UnmeasuredError

logger = logging.getLogger(__name__)
_PROXY_ARGUMENTS = ("proxy_host", "proxy_port", "proxy_user", "proxy_password")
_NO_RETRY = urllib3.Retry(0, read=False)
_IGNORED_PROXY = "a proxy of the Locust file is ignored: the load goes straight to its target"
_CHALLENGED = ("Digest ", "NTLM ", "Negotiate ")
_said: set[str] = set()


class SentAgainError(UnmeasuredError, requests.exceptions.ConnectionError):
    """An adapter of the Locust file sends a request a second time."""


def install() -> None:
    """Wrap the clients for the life of this process."""
    adapters: Any = requests.adapters
    adapters.select_proxy = _no_proxy(adapters.select_proxy)
    environment: Any = urllib.request
    environment.getproxies = _no_proxies(environment.getproxies)
    adapters.HTTPAdapter.send = _once(adapters.HTTPAdapter.send)
    prepared: Any = requests.PreparedRequest
    prepared.copy = _still_sent(prepared.copy)
    fast = geventhttpclient.client.HTTPClient
    fast.__init__ = _straight(fast.__init__)  # type: ignore[method-assign] # there is no other way in
    session: Any = clients.HttpSession
    session.get_adapter = _without_retries(session.get_adapter)
    session.send = _new(session.send)


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        logger.warning("%s", text)


def _no_proxy(original: Any) -> Any:
    """Keep `requests` from choosing a proxy of a session, a call or the environment."""

    @functools.wraps(original)
    def select_proxy(url: str, proxies: Any) -> None:
        if original(url, proxies):
            _say_once(_IGNORED_PROXY)

    return select_proxy


def _no_proxies(original: Any) -> Any:
    """Hide proxies in the environment, which the file itself may have set, from `httpx` and `urllib`."""

    @functools.wraps(original)
    def getproxies() -> dict[str, str]:
        if original():
            _say_once(_IGNORED_PROXY)
        return {}

    return getproxies


def _straight(original: Any) -> Any:
    """Keep FastHttpUser from using a proxy."""

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        taken = [kwargs.pop(name, None) for name in _PROXY_ARGUMENTS]
        if any(taken):
            _say_once(_IGNORED_PROXY)
        original(self, *args, **kwargs)

    return init


def _without_retries(original: Any) -> Any:
    """Disable the retries of an adapter that the file has mounted: every request sent has to be counted."""

    @functools.wraps(original)
    def get_adapter(self: Any, url: str) -> Any:
        adapter = original(self, url)
        retries = getattr(adapter, "max_retries", None)
        if retries is not None and retries is not _NO_RETRY:
            if _retries(retries):
                _say_once(
                    f"max_retries of {type(adapter).__name__} is ignored: each request is sent once, and "
                    "counted by its outcome"
                )
            adapter.max_retries = _NO_RETRY
        return adapter

    return get_adapter


def _retries(written: Any) -> bool:
    """Tell whether a setting of urllib3 sends a request again."""
    if isinstance(written, urllib3.Retry):
        parts = (written.total, written.connect, written.read, written.status, written.other)
        return written.total is not False and any(parts)
    return bool(written)


def _new(original: Any) -> Any:
    """Mark each request that a session of Locust sends as not sent yet."""

    @functools.wraps(original)
    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        request.slocheck_sent = False
        return original(self, request, **kwargs)

    return send


def _still_sent(original: Any) -> Any:
    """Let the copy of a request share whether it was sent."""

    @functools.wraps(original)
    def copy(self: Any) -> Any:
        copied = original(self)
        if hasattr(self, "slocheck_sent"):
            copied.slocheck_sent = self.slocheck_sent
        return copied

    return copy


def _once(original: Any) -> Any:
    """Refuse to send such a request again, even if an adapter of the file retries it in a loop.

    The response to a server's authentication challenge is a new request.
    """

    @functools.wraps(original)
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        responds = str(request.headers.get("Authorization", "")).startswith(_CHALLENGED)
        if getattr(request, "slocheck_sent", False) and not responds:
            raise SentAgainError(
                f"was sent a second time by {type(self).__name__}, and slocheck counts a request once; "
                "let the adapter return or raise what the first attempt got"
            )
        if hasattr(request, "slocheck_sent"):
            request.slocheck_sent = True
        return original(self, request, *args, **kwargs)

    return send
