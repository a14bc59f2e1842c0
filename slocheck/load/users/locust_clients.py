"""Locust's HTTP clients, wrapped in place so that every request is seen, whatever the Locust file does.

- The tracker knows every request from when it is sent.
- No request lasts longer than the drain (`HttpUser` itself has no timeout).
- Certificates are checked as the spec says (`FastHttpUser` itself does not check them).
- Nothing is sent again after a closed connection (`FastHttpUser` sends up to 11 times and reports one
  request).
- A redirect to another host is not followed. One on the same host is followed, and counts as one request,
  as the scenario sees it. Either counts under the status of its first response.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import gevent
import geventhttpclient.client
import geventhttpclient.connectionpool
import requests
import urllib3
from geventhttpclient.useragent import ConnectionError as FastConnectionError
from locust import clients
from locust.contrib import fasthttp
from locust.user.users import RestMixin

from slocheck.load.drain import is_leaving, refuse_at_end
from slocheck.load.file_calls.home_thread import HomeThread
from slocheck.load.recording.redirects import ElsewhereError, Redirect, origin_of
from slocheck.load.schedule_lag import take_schedule_lag
from slocheck.load.tracking import REQUEST_KEY, Tracker
from slocheck.load.users import reaching
from slocheck.masking import strip_url
from slocheck.spec.model import Tls
from slocheck.tls import tls_context

MIN_DEADLINE_S = 1.0


def install(tracker: Tracker, *, drain_s: float, tls: Tls) -> None:
    """Wrap the clients for the life of this process."""
    deadline_s = max(drain_s, MIN_DEADLINE_S)
    reaching.install()
    _patch(clients.HttpSession, "request", functools.partial(_tracked, tracker, None))
    _patch(fasthttp.FastHttpSession, "request", functools.partial(_tracked, tracker, deadline_s))
    _patch(clients.ResponseContextManager, "__exit__", functools.partial(_watched_exit, tracker))
    _patch(fasthttp.ResponseContextManager, "__exit__", functools.partial(_watched_exit, tracker))
    _patch(clients.HttpSession, "_send_request_safe_mode", functools.partial(_bounded, deadline_s, tls))
    _patch(clients.HttpSession, "rebuild_auth", _marked_hop)
    _patch(RestMixin, "rest_", _named_without_values)
    _patch(clients.HttpSession, "send", _guarded_hop)
    _patch(fasthttp.FastRequest, "redirect", _guarded_redirect)
    _patch(geventhttpclient.connectionpool.SSLConnectionPool, "__init__", functools.partial(_verified, tls))
    _patch(geventhttpclient.client, "_may_retry_after_send_error", lambda _original: lambda _method: False)
    if tls.insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def _patch(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Replace an attribute by ``wrap(original)``."""
    setattr(owner, name, wrap(getattr(owner, name)))


def _tracked(tracker: Tracker, deadline_s: float | None, original: Any) -> Any:
    """Make a session's `request` track each request; `deadline_s` applies if nothing else limits it."""
    parameters = list(inspect.signature(original).parameters)
    context_at = parameters.index("context") - 3  # self, method and url are named below
    home = HomeThread()

    @functools.wraps(original)
    def request(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        refuse_at_end(self.user, draining=tracker.draining)
        late_ns = take_schedule_lag(self.user)
        written = kwargs.get("name") or (args[0] if args else None) or self.request_name
        url_name = None if written else _url_name(self, url)
        in_flight = tracker.requests.begin(str(method), str(written or strip_url(url_name or "")), late_ns)
        in_flight.url_name = url_name
        if len(args) > context_at:
            tagged = {**args[context_at], REQUEST_KEY: in_flight}
            args = (*args[:context_at], tagged, *args[context_at + 1 :])
        else:
            kwargs["context"] = {**kwargs.get("context", {}), REQUEST_KEY: in_flight}
        if deadline_s is not None:
            in_flight.timer = gevent.Timeout.start_new(deadline_s)
            self.client.max_retries = 0
        outer = reaching.CURRENT.set(in_flight)
        try:
            home.refuse_others()
            response = original(self, method, url, *args, **kwargs)
        except gevent.GreenletExit:
            tracker.killed(in_flight, leaving=is_leaving(self.user))
            raise
        except gevent.Timeout as timeout:
            tracker.timed_out(in_flight, timeout, leaving=is_leaving(self.user))
            raise
        except BaseException as error:
            tracker.broke_off(in_flight, error)
            raise
        finally:
            reaching.CURRENT.reset(outer)
        if in_flight in tracker.requests and hasattr(response, "request_meta"):
            tracker.responded(in_flight, response, response.request_meta)
        return response

    return request


def _url_name(session: Any, url: Any) -> str:
    """Return the name that the session makes of a URL, if the call shows it."""
    try:
        parts = urlsplit(str(url))
    except ValueError:
        return str(url)
    if isinstance(session, fasthttp.FastHttpSession) or not parts.scheme:
        return str(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _named_without_values(original: Any) -> Any:
    """Make `rest_` name a request by its URL, as it already does, but without the query's values."""

    @functools.wraps(original)
    def rest_(self: Any, method: str, url: str, name: str | None = None, **kwargs: Any) -> Any:
        own_name = f"{url}{'&' if '?' in url else '?'}_=..."
        return original(self, method, url, name or strip_url(own_name), **kwargs)

    return rest_


def _watched_exit(tracker: Tracker, original: Any) -> Any:
    """Count a `catch_response` block that raises exactly once."""

    @functools.wraps(original)
    def leave(self: Any, exc: Any, value: BaseException | None, trace: Any) -> Any:
        in_flight = self.request_meta["context"].get(REQUEST_KEY)
        if in_flight is not None:
            in_flight.by_scenario = isinstance(self._manual_result, Exception)
            in_flight.approved = self._manual_result is True
        try:
            return original(self, exc, value, trace)
        finally:
            if in_flight is not None and value is not None and in_flight in tracker.requests:
                tracker.block_ended(in_flight, value)

    return leave


def _bounded(deadline_s: float, tls: Tls, original: Any) -> Any:
    """Limit the time of an `HttpSession` request, redirects and body included, and check certificates."""

    @functools.wraps(original)
    def send(self: Any, method: str, url: str, **kwargs: Any) -> Any:
        if tls.insecure:
            kwargs["verify"] = False
        elif not isinstance(
            kwargs.get("verify"), str
        ):  # a scenario may name its own CA, but may not turn checks off
            kwargs["verify"] = tls.ca or True
        if tls.cert and not kwargs.get("cert"):
            kwargs["cert"] = (tls.cert, tls.key) if tls.key else tls.cert
        deadline = gevent.Timeout.start_new(deadline_s)
        try:
            return original(self, method, url, **kwargs)
        except gevent.Timeout as timeout:
            if timeout is not deadline:
                raise
            late = requests.exceptions.Timeout(f"no whole response within {deadline_s:g} s")
            return clients.ResponseContextManager(late)
        finally:
            deadline.close()

    return send


def _marked_hop(original: Any) -> Any:
    """Mark a redirected request of `HttpSession` with the response that redirected it."""

    def rebuild_auth(self: Any, prepared: Any, response: Any) -> None:
        original(self, prepared, response)
        prepared.slocheck_from = response

    return rebuild_auth


def _guarded_hop(original: Any) -> Any:
    """Refuse to send a redirected request of `HttpSession` to another host."""

    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        came_from = getattr(request, "slocheck_from", None)
        if came_from is not None and origin_of(came_from.url) != origin_of(request.url):
            error = PlainElsewhereError(_elsewhere(urlsplit(request.url).netloc))
            error.redirect = Redirect(came_from.status_code, request.url, elsewhere=True)
            raise error
        return original(self, request, *args, **kwargs)

    return send


def _guarded_redirect(original: Any) -> Any:
    """Refuse to redirect a request of `FastHttpSession` to another host."""

    def redirect(self: Any, code: int, location: str) -> None:
        leads_to = str(self.url_split.redirect(location))
        if origin_of(leads_to) != origin_of(self.url):
            error = FastElsewhereError(self.url, _elsewhere(urlsplit(leads_to).netloc))
            error.redirect = Redirect(code, location, elsewhere=True)
            raise error
        original(self, code, location)

    return redirect


class PlainElsewhereError(ElsewhereError, requests.exceptions.ConnectionError):
    """A redirect of `HttpUser` to another host."""


class FastElsewhereError(ElsewhereError, FastConnectionError):
    """A redirect of `FastHttpUser` to another host."""


def _elsewhere(host: str | None) -> str:
    return f"a redirect to another host ({host}) is not followed"


def _verified(tls: Tls, original: Any) -> Any:
    """Make geventhttpclient check certificates as the spec says; the scenario's own context is kept."""
    defaults = (None, gevent.ssl.create_default_context, fasthttp.insecure_ssl_context_factory)

    @functools.cache
    def context(cafile: str | None = None) -> Any:
        return tls_context(replace(tls, ca=tls.ca or cafile), where="target.tls")

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs["insecure"] = tls.insecure
        if kwargs.get("ssl_context_factory") in defaults:
            kwargs["ssl_context_factory"] = context
        original(self, *args, **kwargs)

    return init
