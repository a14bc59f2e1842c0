"""The one server that a client talks to: its addresses, resolved before the load, and its TLS settings."""

import socket
import ssl
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from slocheck.allowed_targets import AllowedTargets, is_localhost_name
from slocheck.documents.http import DEFAULT_PORTS, authority, host_and_port
from slocheck.errors import UsageError
from slocheck.evidence.recording import FailureClass
from slocheck.load.http.errors import TransportError, from_system
from slocheck.spec.model import Tls
from slocheck.tls import tls_context

Address = tuple[int, Any]
"""Socket family and address."""


class OriginError(ValueError):
    """The client cannot talk to this target; the text says why and what to do."""


@dataclass(slots=True)
class Origin:
    """A scheme, host and port.

    Attributes:
        host: Name or address, without brackets.
        authority: What the Host field says.
        base: Path prefix of every request, without a trailing slash.
        tls: Context that verifies it; None for plain HTTP.
        addresses: All of them; empty until `resolve` has found them.
        reached: Addresses that have accepted a connection.
        session: The last TLS session, for resumption.
    """

    host: str
    port: int
    authority: str
    base: str
    tls: ssl.SSLContext | None
    addresses: list[Address] = field(default_factory=list)
    reached: set[Address] = field(default_factory=set)
    session: ssl.SSLSession | None = None
    _turn: Any = field(default_factory=count)

    def is_at(self, scheme: str, netloc: str) -> bool:
        """Tell whether a URL's scheme (or none) and authority are this origin's."""
        own = "http" if self.tls is None else "https"
        try:
            there = host_and_port(f"{own}://{netloc}")
        except ValueError:
            return False
        return (scheme or own) == own and "@" not in netloc and there == (self.host, self.port)

    def resolve(self) -> None:
        """Look up the addresses; raises TransportError."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise from_system(error) from error
        except UnicodeError as error:
            raise TransportError(FailureClass.DNS, f"{self.host!r} is not a host name: {error}") from error
        self.addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))

    def addresses_in_turn(self) -> list[Address]:
        """Return all addresses, starting with the next one each time."""
        first = next(self._turn) % len(self.addresses)
        return self.addresses[first:] + self.addresses[:first]

    def most_telling(self, failures: Sequence[tuple[Address, TransportError]]) -> TransportError:
        """Return why none of the addresses could be reached.

        The error of an address that worked before is the most telling. Otherwise a refused connection says
        more than a missing route (no IPv6 here).
        """
        known = [error for address, error in failures if address in self.reached]
        all_errors = [error for _, error in failures]
        theirs = [error for error in all_errors if error.failure is not FailureClass.GENERATOR]
        return (known or theirs or all_errors)[0]


def make_origin(url: str, tls: Tls) -> Origin:
    """Return the origin of a base URL; raises OriginError if the client cannot use it."""
    try:
        parts, (host, port) = urlsplit(url), host_and_port(url)
    except ValueError as error:
        raise OriginError(f"{_shown(url)}: is not an address: {error}") from error
    if not port or not host or "@" in parts.netloc:
        raise OriginError(
            f"{_shown(url)}: is not the address of an API; write http://HOST:PORT or https://HOST:PORT"
        )
    _refuse_proxy(parts.scheme, host)
    with_port = authority(host, port)
    shown = with_port.removesuffix(f":{port}") if port == DEFAULT_PORTS[parts.scheme] else with_port
    context = _context(tls) if parts.scheme == "https" else None
    return Origin(host, port, shown, parts.path.rstrip("/"), context)


def _shown(url: str) -> str:
    return "the host" if "@" in url else url


def _refuse_proxy(scheme: str, host: str) -> None:
    """Refuse to bypass a proxy that the environment names, because the load would take another path."""
    proxies = urllib.request.getproxies_environment()
    named = proxies.get(scheme) or proxies.get("all")
    if named and not urllib.request.proxy_bypass(host) and not _is_local(host):
        raise OriginError(
            f"the environment names an HTTP proxy for {scheme}://{host}, but this client does not use "
            f"proxies; unset {scheme}_proxy, or add {host} to no_proxy"
        )


def _is_local(host: str) -> bool:
    return is_localhost_name(host) or AllowedTargets().allows_address(host)


def _context(tls: Tls) -> ssl.SSLContext:
    """Return a context that checks certificate and host name, unless the spec says not to."""
    try:
        context = tls_context(tls, where="target.tls")
    except UsageError as error:
        raise OriginError(str(error)) from error
    context.set_alpn_protocols(["http/1.1"])
    return context
