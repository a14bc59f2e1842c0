"""One keep-alive connection: a plain non-blocking socket with one persistent watcher.

A request costs one send, one switch to the hub and one receive. On an open connection `begin` sends one from
the hub, and `arrived` reads its response there, so most requests need no switch at all; what they cannot
finish, `exchange` does. A request is never sent twice: a failure is reported as a failure.
"""

import socket
from collections.abc import Callable
from typing import Any

from gevent import getcurrent

from slocheck.load.http.bodies import decoded, over_limit
from slocheck.load.http.deadline_timer import NEVER_NS, DeadlineTimer
from slocheck.load.http.errors import closed_early, from_system
from slocheck.load.http.http1.framing import Framing
from slocheck.load.http.http1.heads import Head, simple_head
from slocheck.load.http.http1.watched_socket import WRITE, WatchedSocket
from slocheck.load.http.origin import Origin
from slocheck.load.network.connect_guard import ForbiddenConnectionError
from slocheck.spec.model.workload import DEFAULT_MAX_BODY

RECEIVE_BYTES = 1 << 16
_received = bytearray(RECEIVE_BYTES)
"""What `arrived` has just read, from whichever connection: nothing else runs before it is looked at."""
_NO_HEAD = Head(b"HTTP/1.1 200 \r\n\r\n")
"""A head that no response is compared with: its end is not known."""


class Connection(WatchedSocket):
    """A connection to an origin, opened by its first request and again after it was closed.

    Only one greenlet at a time may use it.

    Attributes:
        body: The decoded body of the last response, if it was to be kept.
        size: Bytes of that body, whether kept or not.
        pending: What its user notes about the request in flight; None without one.
    """

    def __init__(self, origin: Origin, deadlines: DeadlineTimer, max_body: int = DEFAULT_MAX_BODY) -> None:
        super().__init__(origin, deadlines)
        self.body = b""
        self.size = 0
        self.pending: Any = None
        self._max_body = max_body
        self._early: list[bytes] = []
        self._unsent: memoryview | None = None
        self._error: Exception | None = None
        self._used = 0
        self._last_head = _NO_HEAD

    def begin(self, request: bytes, deadline_ns: int, resume: Callable[[], object]) -> bool:
        """Send a request without waiting, if the connection is open; returns whether it was begun.

        Then `resume` is called in the hub when something arrives or the deadline has passed. `arrived` takes
        the response, or else `exchange` goes on. If the connection is not `waiting`, only `exchange` can.
        """
        deadlines = self._deadlines
        if self._used != deadlines.checks and self._socket is not None:
            self._notice_end()
        if self._socket is None:
            return False
        self.deadline_ns = deadline_ns
        if deadline_ns < deadlines.soonest_ns:  # noqa: PLR1730 - a call costs more
            deadlines.soonest_ns = deadline_ns
        self._resume = resume
        try:
            sent = self._socket.send(request)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._error = error
            return True
        self.waiting = sent == len(request)
        if not self.waiting:
            self._unsent = memoryview(request)[sent:]
        return True

    def _is_open(self) -> bool:
        """Tell whether a request can be sent on this connection, as far as is known here."""
        if self._used != self._deadlines.checks and self._socket is not None:
            self._notice_end()
        return self._socket is not None

    def arrived(self, *, keep: bool) -> Head | None:
        """Return the head of the response to a request that was begun; None: only `exchange` can go on."""
        if self._expired:
            return None
        try:
            size = self._socket.recv_into(_received)
        except BlockingIOError:
            return None
        except OSError as error:
            self._error = error
            return None
        head = self._last_head
        if size != head.whole or not _received.startswith(head.raw):
            return self._whole(bytes(memoryview(_received)[:size]), keep=keep)
        self.body = bytes(_received[len(head.raw) : size]) if keep else b""
        self.size = head.length
        self.deadline_ns = NEVER_NS
        self._used = self._deadlines.checks
        return head

    def _whole(self, data: bytes, *, keep: bool) -> Head | None:
        """Return the head of a whole response that leaves nothing to do; other data is left to `exchange`."""
        head = simple_head(data)
        if head is None or len(data) != head.whole or head.length > self._max_body:
            self._early.append(data)
            return None
        self._last_head = head
        self.body = data[len(head.raw) :] if keep else b""
        self.size = head.length
        self.deadline_ns = NEVER_NS
        self._used = self._deadlines.checks
        return head

    def exchange(
        self,
        request: bytes,
        deadline_ns: int,
        *,
        keep: bool = True,
        no_body: bool = False,
        begun: bool = False,
    ) -> Head:
        """Send a request and return the head of its complete response; the body is in `body`.

        Args:
            request: All its bytes.
            deadline_ns: When the response has to be complete, on the monotonic clock.
            keep: Keep the body, not only its size.
            no_body: The response has no body whatever its head says (HEAD).
            begun: It was sent by `begin`, or a part of it.

        Raises:
            TransportError: No complete response came; the connection is closed.
            ForbiddenConnectionError: The origin may not be connected to; nothing was sent.
        """
        deadlines = self._deadlines
        self._resume = getcurrent().switch
        self.deadline_ns = deadline_ns
        if deadline_ns < deadlines.soonest_ns:  # noqa: PLR1730 - a call costs more
            deadlines.soonest_ns = deadline_ns
        try:
            if begun:
                all_sent = self._go_on(no_body)
            else:
                if (self._socket is None or self._used != deadlines.checks) and not self._is_open():
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
            self._used = deadlines.checks
        return head

    def _go_on(self, no_body: bool) -> bool:  # noqa: FBT001 - as in `exchange`
        """Continue a request that was begun; returns what `_send_all` does, and raises what has failed."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        if self._expired:
            raise self._timeout()
        rest, self._unsent = self._unsent, None
        return rest is None or self._send_rest(rest, self._framing(no_body))

    def _framing(self, no_body: bool) -> Framing:  # noqa: FBT001 - as in `exchange`
        return Framing(no_body=no_body, keep=False, max_body=self._max_body)

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
        head = self._last_head
        if len(data) == head.whole and not no_body and data.startswith(head.raw):
            self.body = data[len(head.raw) :] if keep else b""
            self.size = head.length
            return head
        found = None if no_body else simple_head(data)
        if found is None:
            return self._framed(data, keep=keep, no_body=no_body)
        return self._rest_of(found, data, keep=keep)

    def _rest_of(self, head: Head, data: bytes, *, keep: bool) -> Head:
        """Read the rest of a response whose Content-Length says where it ends, given its first bytes."""
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
        elif head.whole > 0:
            self._last_head = head
        return head

    def _decode(self, head: Head) -> None:
        """Decode the body even if no step reads it: a response with a malformed body is not a response."""
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
        response = None if no_body is None else self._framing(no_body)
        return self._send_rest(memoryview(data)[sent:], response)

    def _send_rest(self, rest: memoryview, response: Framing | None) -> bool:
        """Send the rest as the server reads it, until the response is complete or the server closes."""
        writable = self._hub.loop.io(self._socket.fileno(), WRITE)
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

    def close(self) -> None:
        """Close the socket; the next request opens a new one."""
        self._early.clear()
        self._error = self._unsent = None
        super().close()
