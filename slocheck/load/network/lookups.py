"""Remembers by which name each address was looked up, for all of Python's lookups in this process.

gevent's sockets, its resolver and Python's own sockets all come to the same few functions of ``_socket``.
"""

import _socket
import functools
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from slocheck.allowed_targets import IpAddress, address_of

MOST_REMEMBERED = 10_000
_FUNCTIONS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")


class Lookups:
    """Remembers the lookups of this process after `watch`.

    Args:
        found: Called with each name and each of its addresses.
        not_found: Returns the error to raise for a name without an address.
    """

    def __init__(
        self,
        found: Callable[[str, IpAddress], object],
        not_found: Callable[[str, socket.gaierror], socket.gaierror],
    ) -> None:
        self._found, self._not_found = found, not_found
        self._names: dict[IpAddress, str] = {}
        self._original: Callable[..., Any] = _socket.getaddrinfo

    def watch(self) -> None:
        """Watch the functions that look names up, for the life of this process."""
        for name in _FUNCTIONS:
            original = getattr(_socket, name)
            watched = self._watched(original)
            setattr(_socket, name, watched)
            if getattr(socket, name) is original:  # else it is a function that calls the one of _socket
                setattr(socket, name, watched)

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def look_up(*args: Any, **kwargs: Any) -> Any:
            name = _name_in(args[0] if args else kwargs.get("host"))
            try:
                result = original(*args, **kwargs)
            except socket.gaierror as error:
                raise self._not_found(name, error) if name else error from None
            self._remember(name, _addresses_in(result))
            return result

        return look_up

    def _remember(self, name: str, addresses: Iterable[str]) -> None:
        if not name:
            return
        for text in addresses:
            address = address_of(text)
            if address is not None:
                if len(self._names) >= MOST_REMEMBERED:
                    self._names.pop(next(iter(self._names)), None)
                self._names[address] = name
                self._found(name, address)

    def name_of(self, address: IpAddress) -> str:
        """Return the name by which an address was last looked up; empty without one."""
        return self._names.get(address, "")

    def look_up(self, name: str) -> list[str]:
        """Return the addresses of a name, and remember them; empty if it has none. Blocks."""
        try:
            found = list(_addresses_in(self._original(name, None)))
        except (OSError, UnicodeError):
            return []
        self._remember(name, found)
        return found


def text_of(host: object) -> str:
    """Return a host as text; sockets take bytes as well."""
    if isinstance(host, bytes | bytearray):
        return bytes(host).decode("latin-1")
    return host if isinstance(host, str) else ""


def _name_in(host: object) -> str:
    """Return the name in what a function looks up; empty for an address, or for nothing."""
    name = text_of(host)
    return "" if address_of(name) is not None else name


def _addresses_in(result: Any) -> Iterator[str]:
    """Yield the addresses in a result of any of the three functions."""
    if isinstance(result, str):
        yield result
    elif isinstance(result, tuple):
        yield from result[2]
    else:
        yield from (str(entry[4][0]) for entry in result)
