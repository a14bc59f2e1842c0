"""A TLS connection: the same socket and watcher, with OpenSSL between socket and response."""

import ssl
from collections.abc import Callable

from slocheck.load.http.deadline_timer import DeadlineTimer
from slocheck.load.http.errors import TransportError, closed_early
from slocheck.load.http.http1.connection import RECEIVE_BYTES, Connection
from slocheck.load.http.http1.heads import Head
from slocheck.load.http.origin import Origin
from slocheck.spec.model.workload import DEFAULT_MAX_BODY


class TlsConnection(Connection):
    """Checks certificate and name as the origin's context says, and resumes the origin's last session."""

    def __init__(self, origin: Origin, deadlines: DeadlineTimer, max_body: int = DEFAULT_MAX_BODY) -> None:
        super().__init__(origin, deadlines, max_body)
        self._tls: ssl.SSLObject | None = None
        self._incoming = self._outgoing = ssl.MemoryBIO()

    def begin(self, request: bytes, deadline_ns: int, resume: Callable[[], object]) -> bool:
        """Encrypt a request and send it as `Connection.begin` does."""
        if not self._is_open():
            return False
        assert self._tls is not None
        self._used = self._deadlines.checks  # it has just been looked at
        try:
            self._tls.write(request)
        except OSError:
            return False  # nothing was sent: `exchange` says why
        return super().begin(self._outgoing.read(), deadline_ns, resume)

    def arrived(self, *, keep: bool) -> Head | None:
        """Decrypt what has arrived; what is not a whole response is left to `exchange`."""
        if self._expired:
            return None
        try:
            data = self._arrived()
        except (OSError, TransportError) as error:
            self._error = error
            return None
        head = None if data is None else self._whole(data, keep=keep)
        if head is not None and self._incoming.pending:
            self._ignore_tickets()
        return head

    def _handshake(self) -> None:
        """Do the TLS handshake."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        origin = self._origin
        assert origin.tls is not None
        self._tls = origin.tls.wrap_bio(
            self._incoming, self._outgoing, server_hostname=origin.host, session=origin.session
        )
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._take()
            except ssl.SSLError:
                self._flush()  # send the alert
                raise
            else:
                self._flush()
                return

    def _flush(self) -> None:
        """Send what OpenSSL needs to send outside of a request."""
        if self._outgoing.pending:
            super()._send_all(self._outgoing.read(), None)

    def _take(self) -> None:
        """Give OpenSSL what the server sends next, or the end of the connection."""
        self._feed(self._read())

    def _feed(self, data: bytes) -> None:
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _send_all(self, data: bytes, no_body: bool | None) -> bool:  # noqa: FBT001 - three values
        assert self._tls is not None
        self._tls.write(data)
        return super()._send_all(self._outgoing.read(), no_body)

    def _response(self, *, keep: bool, no_body: bool) -> Head:
        """Read one response; a TLS record that follows it belongs to no response."""
        head = super()._response(keep=keep, no_body=no_body)
        if self._tls is not None and self._incoming.pending:
            self._ignore_tickets()
        return head

    def _ignore_tickets(self) -> None:
        """Let OpenSSL read its session tickets; close the connection if anything else arrived."""
        assert self._tls is not None
        try:
            self._tls.read(RECEIVE_BYTES)
        except ssl.SSLWantReadError:
            return
        except OSError:
            pass
        self.close()

    def _arrived(self) -> bytes | None:
        """Return what can be decrypted so far; session tickets go to OpenSSL."""
        data = super()._arrived()
        if data is not None:
            self._feed(data)
        return self._decrypted()

    def _receive(self) -> bytes:
        if self._early:
            return self._take_early()
        while (data := self._decrypted()) is None:
            self._flush()
            self._take()
        return data

    def _decrypted(self) -> bytes | None:
        """Return what OpenSSL has decrypted; None for nothing yet, empty if the server closes properly.

        A connection that ends without close_notify may have been cut, so its response is not complete.
        """
        assert self._tls is not None
        try:
            return self._tls.read(RECEIVE_BYTES)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLEOFError:
            raise closed_early() from None

    def _unexpected(self) -> None:
        """Read session tickets; close if the server closes, or sends anything without a request."""
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._incoming.write(data)
            self._ignore_tickets()
        else:
            self.close()

    def close(self) -> None:
        """Close, and keep the session for the next connection."""
        tls, self._tls = self._tls, None
        if tls is not None and self._connected:  # reading the session of half a handshake raises
            session = tls.session
            if session is not None and session.has_ticket:
                self._origin.session = session
        super().close()


def connect_to(origin: Origin, deadlines: DeadlineTimer, max_body: int = DEFAULT_MAX_BODY) -> Connection:
    """Return a connection to an origin, not opened yet; `max_body`: limit of a decoded body, bytes."""
    kind = TlsConnection if origin.tls is not None else Connection
    return kind(origin, deadlines, max_body)
