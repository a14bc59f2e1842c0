"""A plain non-blocking socket with one persistent watcher: opening, waiting until a deadline, closing."""

import errno
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
import gevent.monkey

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.load.http.deadline_timer import NEVER_NS, DeadlineTimer
from slocheck.load.http.errors import TransportError, from_system
from slocheck.load.http.origin import Address, Origin
from slocheck.load.network.connect_guard import ForbiddenConnectionError

READ, WRITE = 1, 2
_CONNECT_NS = 10 * NS_PER_SECOND
_plain_socket: Any = gevent.monkey.get_original("socket", "socket")


def _nobody() -> None:
    """Placeholder for the greenlet to resume, before any waits."""


class WatchedSocket:
    """A socket to an origin, or none yet.

    Attributes:
        waiting: A greenlet is to be resumed when the server sends something.
        deadline_ns: Until when they wait, on the monotonic clock.
    """

    def __init__(self, origin: Origin, deadlines: DeadlineTimer) -> None:
        self.waiting = False
        self.deadline_ns = NEVER_NS
        self._origin = origin
        self._deadlines = deadlines
        self._hub = gevent.get_hub()
        self._resume: Callable[[], object] = _nobody
        self._socket: Any = None
        self._watcher: Any = None
        self._expired = self._connected = False
        deadlines.add(self)

    def _wait_until(self, deadline_ns: int) -> None:
        """Set the deadline, and let it be watched."""
        self.deadline_ns = deadline_ns
        self._deadlines.soonest_ns = min(self._deadlines.soonest_ns, deadline_ns)

    def _pause(self) -> None:
        """Let other greenlets run until a watcher or the deadline timer resumes this one."""
        self.waiting = True
        self._hub.switch()
        self.waiting = False
        if self._expired:
            raise self._timeout()

    def _timeout(self) -> TransportError:
        """Return the error for a deadline that has passed."""
        self._expired = False
        what = "no whole response" if self._connected else "no connection"
        return TransportError(FailureClass.TIMEOUT, f"{what} within the timeout")

    def expire(self) -> None:
        """Time out; called in the hub."""
        self._expired = True
        self._wake()

    def _wake(self) -> None:
        if self.waiting:
            self.waiting = False
            self._resume()

    def _readable(self) -> None:
        """Resume the waiting greenlet; without one, the server has closed or sent something unasked."""
        if self.waiting:
            self.waiting = False
            self._resume()
        else:
            self._unexpected()

    def _unexpected(self) -> None:
        """Close: this connection cannot carry another response."""
        self.close()

    def _connect(self) -> None:
        """Open the connection, within its own time limit."""
        whole_ns = self.deadline_ns
        self._wait_until(min(whole_ns, time.monotonic_ns() + _CONNECT_NS))
        if not self._origin.addresses:
            self._resolve()
        self._reach()
        self._handshake()
        self._wait_until(whole_ns)
        self._connected = True

    def _resolve(self) -> None:
        """Look up the origin's addresses, unless an earlier lookup succeeded."""
        left_s = max(0.001, (self.deadline_ns - time.monotonic_ns()) / NS_PER_SECOND)
        late = TransportError(FailureClass.DNS, "the name is not resolved within the timeout")
        with gevent.Timeout(left_s, late):
            self._origin.resolve()

    def _reach(self) -> None:
        """Connect to the first of the origin's addresses that accepts; each gets a share of the time."""
        until_ns = self.deadline_ns
        addresses = self._origin.addresses_in_turn()
        failures: list[tuple[Address, TransportError]] = []
        for address in addresses:
            now_ns = time.monotonic_ns()
            self._wait_until(now_ns + (until_ns - now_ns) // (len(addresses) - len(failures)))
            try:
                self._dial(address)
            except ForbiddenConnectionError:
                raise
            except OSError as error:
                failures.append((address, from_system(error)))
            except TransportError as error:
                failures.append((address, error))
            else:
                self._origin.reached.add(address)
                self._wait_until(until_ns)
                return
            self.close()
        raise self._origin.most_telling(failures)

    def _dial(self, to: Address) -> None:
        """Connect to one address; raises OSError, or TransportError for the deadline."""
        family, address = to
        self._socket = made = _plain_socket(family, socket.SOCK_STREAM)
        made.setblocking(False)  # noqa: FBT003 - takes no keyword
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = made.connect_ex(address)
        if code == errno.EINPROGRESS:
            writable = self._hub.loop.io(made.fileno(), WRITE)
            writable.start(self._wake)
            try:
                self._pause()
            finally:
                writable.stop()
                writable.close()
            code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self._watcher = self._hub.loop.io(made.fileno(), READ)
        self._watcher.start(self._readable)

    def _handshake(self) -> None:
        """Prepare the connection for its first request: nothing to do without TLS."""

    def close(self) -> None:
        """Close the socket; the next request opens a new one."""
        self._expired = self._connected = self.waiting = False
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()
            watcher.close()
        made, self._socket = self._socket, None
        if made is not None:
            made.close()

    def dispose(self) -> None:
        """Close for good."""
        self.close()
        self._deadlines.discard(self)
