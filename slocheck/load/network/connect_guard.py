"""Refuses connections to hosts that the user did not allow, whichever Python client opens them.

Python calls the process's audit hooks before a socket connects, or sends to an address, from the C code that
all its sockets share: those of gevent, of `ssl`, of `asyncio` and its own. A hook cannot be removed.
It is not called for traffic on an open connection. Connections outside of Python's sockets (libraries in C,
other programs) are not seen.
"""

import socket
import sys
import time
from collections.abc import Iterable
from typing import Any

from slocheck.allowed_targets import AllowedTargets, IpAddress, address_of, is_localhost_name
from slocheck.evidence.forbidden import NOT_ALLOWED, ForbiddenConnection, forbidden_text
from slocheck.load.network.lookups import Lookups, text_of

_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_INTERNET = (socket.AF_INET, socket.AF_INET6)
_LOCAL = frozenset(
    getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG") if hasattr(socket, name)
)
"""Families that end in this machine's kernel, as loopback does."""
MOST_PLACES = 50
MOST_REACHED = 20
LOOK_UP_AGAIN_S = 5.0


class ForbiddenConnectionError(PermissionError):
    """A connection was not made because it leads to a host that the user did not allow."""


class ForbiddenLookupError(socket.gaierror):
    """An unknown name that the user did not allow either: this is not the target's fault."""


def guard_process(allowed: Iterable[str]) -> "ConnectGuard":
    """Let this process connect only to this machine and to these hosts, for the life of the process."""
    guard = ConnectGuard(AllowedTargets.of(allowed))
    guard.install()
    return guard


class ConnectGuard:
    """Refuses what is not allowed, and remembers what it refused, and where it let connect to.

    Attributes:
        reached: Addresses and ports of the first allowed connections.
    """

    def __init__(self, allowed: AllowedTargets) -> None:
        self._allowed = allowed
        self._by_name: set[IpAddress] = set()
        self._lookups = Lookups(self._found, self._not_found)
        self._looked_up = -LOOK_UP_AGAIN_S
        self._places: dict[tuple[str, str, int], int] = {}
        self.reached: set[tuple[str, int]] = set()

    def install(self) -> None:
        """Watch all sockets and lookups, for the life of this process."""
        self._lookups.watch()
        sys.addaudithook(self._on_event)

    @property
    def forbidden(self) -> tuple[ForbiddenConnection, ...]:
        """Hosts that this process tried to reach and was not allowed to."""
        return tuple(ForbiddenConnection(*place, count) for place, count in list(self._places.items()))

    def _on_event(self, event: str, args: tuple[Any, ...], events: frozenset[str] = _EVENTS) -> None:
        if event in events:  # not a global: the hook is still called at exit, when Python has cleared globals
            made, address = args
            if address is not None:  # sendmsg on a connected socket: its address was allowed before
                self.check(made.family, address)

    def check(self, family: int, address: Any) -> None:
        """Raise ForbiddenConnectionError unless a socket of this family may connect to this address."""
        if family in _LOCAL:
            return
        if family not in _INTERNET or not isinstance(address, tuple) or len(address) < 2:  # noqa: PLR2004 - host and port
            self._refuse(_family_name(family), "", 0)
        host, port = text_of(address[0]), address[1]
        if not self._allows(host or "0.0.0.0"):  # noqa: S104 - what an empty host stands for
            self._refuse(*self._described(host), port if isinstance(port, int) else 0)
        if len(self.reached) < MOST_REACHED and isinstance(port, int):
            self.reached.add((host, port))

    def _allows(self, host: str) -> bool:
        """Tell whether a connection to a host, usually an address, is allowed."""
        address = address_of(host)
        if address is None:  # a name that Python's own socket is about to look up
            found = self._lookups.look_up(host)
            return bool(found) and all(map(self._allows_address, found))
        return self._allows_address(host)

    def _allows_address(self, text: str) -> bool:
        if self._allowed.allows_address(text) or address_of(text) in self._by_name:
            return True
        self._look_up_again()
        return address_of(text) in self._by_name

    def _look_up_again(self) -> None:
        """Look the allowed names up again: a library may have done so itself, and found another address."""
        now = time.monotonic()
        if now - self._looked_up >= LOOK_UP_AGAIN_S:
            self._looked_up = now
            for name in self._allowed.names:
                self._lookups.look_up(name)

    def _found(self, name: str, address: IpAddress) -> None:
        if self._allowed.names_host(name):
            self._by_name.add(address)

    def _not_found(self, name: str, error: socket.gaierror) -> socket.gaierror:
        """Return the error for a name that has no address."""
        if self._allowed.names_host(name) or is_localhost_name(name) or name in _own_names():
            return error
        self._note(name, "", 0)
        text = f"{error.strerror}; {name} {NOT_ALLOWED}: add --allow-target {name}"
        return ForbiddenLookupError(error.errno, text)

    def _described(self, host: str) -> tuple[str, str]:
        """Return the name and the address of a refused host."""
        address = address_of(host)
        if address is None:
            return host, next(iter(self._lookups.look_up(host)), "")
        return self._lookups.name_of(address) or str(address), str(address)

    def _refuse(self, host: str, address: str, port: int) -> None:
        self._note(host, address, port)
        raise ForbiddenConnectionError(forbidden_text((ForbiddenConnection(host, address, port),)))

    def _note(self, host: str, address: str, port: int) -> None:
        place = (host, address, port)
        if place in self._places or len(self._places) < MOST_PLACES:
            self._places[place] = self._places.get(place, 0) + 1


def _own_names() -> tuple[str, ...]:
    """Return this machine's names, which libraries look up although they send nothing there."""
    name = socket.gethostname()
    return name, name.partition(".")[0]


def _family_name(family: int) -> str:
    try:
        return socket.AddressFamily(family).name
    except ValueError:
        return f"address family {family}"
