"""One keep-alive connection: a plain non-blocking socket with one persistent watcher.

A request costs one send, one switch to the hub and one receive. A request is never sent twice: a failure
is reported as a failure.
"""

import errno
import os
import socket
import time
from typing import Any

import gevent
import gevent.monkey
from gevent import getcurrent

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.load.http.bodies import decoded, over_limit
from slocheck.load.http.deadline_timer import NEVER_NS, DeadlineTimer
from slocheck.load.http.errors import TransportError, closed_early, from_system
from slocheck.load.http.http1.framing import Framing
from slocheck.load.http.http1.heads import Head, simple_head
from slocheck.load.http.origin import Address, Origin
from slocheck.load.network.connect_guard import ForbiddenConnectionError
from slocheck.spec.model.workload import DEFAULT_MAX_BODY

RECEIVE_BYTES = 1 << 16
_CONNECT_NS = 10 * NS_PER_SECOND
_READ, _WRITE = 1, 2
_plain_socket: Any = gevent.monkey.get_original("socket", "socket")


class Connection:
    """A connection to an origin, opened by its first request and again after it was closed.

    Only one greenlet at a time may use it.

    Attributes:
        body: The decoded body of the last response, if it was to be kept.
        size: Bytes of that body, whether kept or not.
        waiting: Its greenlet is waiting for the server.
        deadline_ns: Until when it waits, on the monotonic clock.
        pending: What its user notes about the request in flight; None without one.
    """

    def __init__(self, origin: Origin, deadlines: DeadlineTimer, max_body: int = DEFAULT_MAX_BODY) -> None:
        self.body = b""
        self.size = 0
        self.waiting = False
        self.deadline_ns = NEVER_NS
        self.pending: Any = None
        self._origin = origin
        self._deadlines = deadlines
        self._max_body = max_body
        self._hub = gevent.get_hub()
        self._greenlet: Any = None
        self._socket: Any = None
        self._watcher: Any = None
        self._expired = self._connected = False
        self._early: list[bytes] = []
        self._used = 0
        deadlines.add(self)

    def exchange(self, request: bytes, deadline_ns: int, *, keep: bool = True, no_body: bool = False) -> Head:
        """Send a request and return the head of its complete response; the body is in `body`.

        Args:
            request: All its bytes.
            deadline_ns: When the response has to be complete, on the monotonic clock.
            keep: Keep the body, not only its size.
            no_body: The response has no body whatever its head says (HEAD).

        Raises:
            TransportError: No complete response came; the connection is closed.
            ForbiddenConnectionError: The origin may not be connected to; nothing was sent.
        """
        self._greenlet = getcurrent()
        self._wait_until(deadline_ns)
        try:
            if self._used != self._deadlines.checks and self._socket is not None:
                self._notice_end()
            if self._socket is None:
                self._connect()
            all_sent = self._send_all(request, no_body)
            head = self._response(keep=keep, no_body=no_body)
            if not all_sent:
                self.close()  # the server would read the next request as the rest of this one
        except ForbiddenConnectionError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise from_system(error) from error
        except BaseException:
            self.close()
            raise
        finally:
            self.deadline_ns = NEVER_NS
            self._used = self._deadlines.checks
        return head

    def _wait_until(self, deadline_ns: int) -> None:
        """Set the deadline, and let it be watched."""
        self.deadline_ns = deadline_ns
        self._deadlines.soonest_ns = min(self._deadlines.soonest_ns, deadline_ns)

    def _notice_end(self) -> None:
        """Close a connection that the server closed while it was idle, if the watcher has not run yet."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self._unexpected()

    def _response(self, *, keep: bool, no_body: bool) -> Head:
        """Read one response, without a parser if Content-Length alone says where it ends."""
        data = self._receive()
        head = None if no_body else simple_head(data)
        if head is None:
            return self._framed(data, keep=keep, no_body=no_body)
        end, length = len(head.raw), head.length
        if length > self._max_body:
            raise over_limit(self._max_body)
        keep = keep or head.encoding != b""
        missing = length - len(data) + end
        if missing > 0:
            self.body = self._rest(data[end:], missing, keep=keep)
        else:
            self.body = data[end : end + length] if keep else b""
        self.size = length
        if head.encoding:
            self._decode(head)
        if missing < 0 or head.close:
            self.close()
        return head

    def _decode(self, head: Head) -> None:
        """Decode the body even if nobody reads it: a response with a malformed body is not a response."""
        self.body = decoded(self.body, head.encoding, self._max_body)
        self.size = len(self.body)

    def _rest(self, first: bytes, missing: int, *, keep: bool) -> bytes:
        """Read the rest of a body of known length."""
        parts = [first]
        while missing > 0:
            data = self._receive()
            if not data:
                raise closed_early()
            missing -= len(data)
            if keep:
                parts.append(data)
        if missing < 0:
            self.close()
            parts[-1] = parts[-1][:missing]
        return b"".join(parts) if keep else b""

    def _framed(self, data: bytes, *, keep: bool, no_body: bool) -> Head:
        """Read a response whose end only an HTTP parser can find."""
        framing = Framing(no_body=no_body, keep=keep, max_body=self._max_body)
        while True:
            if not data:
                if framing.end():
                    break
                raise closed_early()
            framing.feed(data)
            if framing.done:
                break
            data = self._receive()
        assert framing.head is not None
        self.body, self.size = framing.body, framing.size
        if framing.head.encoding:
            self._decode(framing.head)
        if not framing.reusable:
            self.close()
        return framing.head

    def _send_all(self, data: bytes, no_body: bool | None) -> bool:  # noqa: FBT001 - three values
        """Send bytes; what the kernel does not accept at once is sent as soon as it does.

        Args:
            data: A request, or a TLS handshake.
            no_body: As in `exchange`; None: no response is expected meanwhile.

        Returns:
            Whether all of it was sent before the response was complete.
        """
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent == len(data):
            return True
        response = None if no_body is None else Framing(no_body=no_body, keep=False, max_body=self._max_body)
        return self._send_rest(memoryview(data)[sent:], response)

    def _send_rest(self, rest: memoryview, response: Framing | None) -> bool:
        """Send the rest as the server reads it, until the response is complete or the server closes."""
        writable = self._hub.loop.io(self._socket.fileno(), _WRITE)
        try:
            while rest:
                writable.start(self._wake)
                self._pause()
                writable.stop()
                if response is not None and self._responded(response):
                    return False
                try:
                    rest = rest[self._socket.send(rest) :]
                except BlockingIOError:
                    continue
                except (BrokenPipeError, ConnectionResetError):
                    return False  # what the server sent before it closed can still be read
        finally:
            writable.stop()
            writable.close()
        return True

    def _responded(self, response: Framing) -> bool:
        """Read what came during the sending; tells whether to stop sending."""
        data = self._arrived()
        if data is None:
            return False
        if data:
            self._early.append(data)
            response.feed(data)
        return response.done or not data

    def _arrived(self) -> bytes | None:
        """Return what has arrived; None for nothing yet, empty if the server closed."""
        try:
            data: bytes = self._socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return None
        return data

    def _receive(self) -> bytes:
        """Wait for the server and return what it sent; empty if it closed."""
        return self._take_early() if self._early else self._read()

    def _take_early(self) -> bytes:
        data = b"".join(self._early)
        self._early.clear()
        return data

    def _read(self) -> bytes:
        """Wait for bytes on the socket; empty if the server closed."""
        while True:
            self._pause()
            try:
                data: bytes = self._socket.recv(RECEIVE_BYTES)
            except BlockingIOError:
                continue
            return data

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
            self._greenlet.switch()

    def _readable(self) -> None:
        """Resume the waiting greenlet; without one, the server has closed or sent something unasked."""
        if self.waiting:
            self.waiting = False
            self._greenlet.switch()
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
            writable = self._hub.loop.io(made.fileno(), _WRITE)
            writable.start(self._wake)
            try:
                self._pause()
            finally:
                writable.stop()
                writable.close()
            code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self._watcher = self._hub.loop.io(made.fileno(), _READ)
        self._watcher.start(self._readable)

    def _handshake(self) -> None:
        """Prepare the connection for its first request: nothing to do without TLS."""

    def close(self) -> None:
        """Close the socket; the next request opens a new one."""
        self._expired = self._connected = self.waiting = False
        self._early.clear()
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
