"""The one server that a client talks to: its addresses, asked for before any load, and how it is trusted."""

import ipaddress
import os
import socket
import ssl
import urllib.request
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from slocheck.load.lean.errors import from_system
from slocheck.spec.model import Tls

_PORTS = {"http": 80, "https": 443}


class OriginError(ValueError):
    """The client cannot talk to this target; the text says why and what to do."""


@dataclass(slots=True)
class Origin:
    """A scheme, host and port.

    Attributes:
        host: Name or address, without brackets.
        authority: For the Host field.
        base: Path before every path of a request; without a slash at its end.
        tls: How it is trusted; None for plain HTTP.
        addresses: Socket family and address of each way to it.
        session: The last TLS session, to be resumed.
    """

    host: str
    port: int
    authority: str
    base: str
    tls: ssl.SSLContext | None
    addresses: list[tuple[int, Any]] = field(default_factory=list)
    session: ssl.SSLSession | None = None
    _turn: Any = field(default_factory=count)

    def ways(self) -> list[tuple[int, Any]]:
        """Return all addresses, starting with another one each time; raises TransportError (dns)."""
        if not self.addresses:
            self.addresses = _resolve(self.host, self.port)
        first = next(self._turn) % len(self.addresses)
        return self.addresses[first:] + self.addresses[:first]


def make_origin(url: str, tls: Tls) -> Origin:
    """Return the origin of a base URL; raises OriginError for what the client cannot do."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise OriginError(f"{url}: is no address of an API; write http://HOST:PORT or https://HOST:PORT")
    _refuse_proxy(parts.scheme, parts.hostname)
    port = parts.port or _PORTS[parts.scheme]
    shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = shown if port == _PORTS[parts.scheme] else f"{shown}:{port}"
    context = _context(tls) if parts.scheme == "https" else None
    return Origin(parts.hostname, port, authority, parts.path.rstrip("/"), context)


def _refuse_proxy(scheme: str, host: str) -> None:
    """Refuse to go around a proxy that the environment prescribes: the load would take another way."""
    proxies = urllib.request.getproxies_environment()
    named = proxies.get(scheme) or proxies.get("all")
    if named and not urllib.request.proxy_bypass(host) and not _is_loopback(host):
        raise OriginError(
            f"the environment names an HTTP proxy for {scheme}://{host}, and this client uses none; "
            f"unset {scheme}_proxy, or add {host} to no_proxy"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _context(tls: Tls) -> ssl.SSLContext:
    """Return a context that checks certificate and name, unless the spec says not to."""
    context = ssl.create_default_context(cafile=tls.ca or os.environ.get("SSL_CERT_FILE"))
    context.set_alpn_protocols(["http/1.1"])
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _resolve(host: str, port: int) -> list[tuple[int, Any]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise from_system(error) from error
    return [(family, address) for family, _, _, _, address in found]
