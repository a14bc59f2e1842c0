"""`LeanHttpUser`: a Locust user with the lean client."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from gevent import Greenlet
from gevent.pool import Group
from locust import User
from locust.env import Environment
from locust.exception import StopTest

from slocheck.load.http.errors import TransportError
from slocheck.load.http.event_sink import EventSink
from slocheck.load.http.origin import Origin, OriginError, make_origin
from slocheck.load.http.session import LeanHttpSession
from slocheck.load.http.sink import Sink
from slocheck.spec.model import Tls

_NO_PROXY = "this client does not use proxies; remove it, or use FastHttpUser"
_sinks: dict[int, Sink] = {}
_installed: list[Sink] = []
_origins: dict[tuple[str, Tls], Origin] = {}


def install(sink: Sink) -> None:
    """Count all requests of this process in `sink`."""
    _installed[:] = [sink]


def origin_for(url: str, tls: Tls) -> Origin:
    """Return the origin, which all users share with its addresses and its TLS session.

    Its name is looked up here, before any load; if that fails, each request tries again.
    """
    key = (url, tls)
    if key not in _origins:
        _origins[key] = make_origin(url, tls)
        with suppress(TransportError):
            _origins[key].resolve()
    return _origins[key]


def refuse_unusable(classes: Iterable[type[User]], url: str, tls: Tls) -> None:
    """Raise OriginError if one of the classes uses the lean client and cannot send to the target."""
    for user in classes:
        if issubclass(user, LeanHttpUser):
            if user.proxy_host:
                raise OriginError(f"{user.__name__}.proxy_host: {_NO_PROXY}")
            origin_for(url, tls)


class LeanHttpUser(User):
    """A virtual user whose `client` sends at a fraction of the cost of FastHttpUser's.

    To use it in place of FastHttpUser in a Locust file, change the import. Unlike FastHttpUser it checks
    certificates, follows redirects only if asked to, never sends anything twice, and does not use proxies.

    Attributes:
        network_timeout: Seconds that a whole request may take.
        default_headers: Sent with every request.
        insecure: Do not check certificates. In a slocheck run the spec decides.
        client: A `LeanHttpSession`.
    """

    abstract = True
    network_timeout: float = 60.0
    default_headers: Mapping[str, str] | None = None
    insecure: bool = False
    proxy_host: str | None = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if not self.host:
            raise StopTest("no host: write host = 'http://...' in the user class, or give --host")
        if self.proxy_host:
            raise StopTest(f"proxy_host: {_NO_PROXY}")
        sink = _sink(environment)
        tls = sink.tls or Tls(insecure=self.insecure)
        try:
            origin = origin_for(self.host, tls)
        except OriginError as error:
            raise StopTest(str(error)) from error
        self.client = LeanHttpSession(
            origin, sink, self, timeout_s=self.network_timeout, headers=self.default_headers
        )

    def start(self, group: Group) -> Greenlet:
        """Start as every user does; the connections are closed when it ends."""
        greenlet: Greenlet = super().start(group)
        greenlet.rawlink(lambda _ended: self.client.close())
        return greenlet


def _sink(environment: Environment) -> Sink:
    if _installed:
        return _installed[0]
    return _sinks.setdefault(id(environment), EventSink(environment))
