"""Checks the bytes of a response that another client reads, as the lean client checks its own."""

from slocheck.load.http.bodies import over_limit
from slocheck.load.http.errors import closed_early
from slocheck.load.http.http1.framing import Framing
from slocheck.load.http.http1.heads import simple_head


class ResponseCheck:
    """Follows one response as it arrives.

    Attributes:
        done: The response is complete; bytes after it are not checked.
    """

    def __init__(self, *, no_body: bool, max_body: int) -> None:
        self.done = False
        self._no_body, self._max_body = no_body, max_body
        self._missing = 0
        self._framing: Framing | None = None

    def feed(self, data: bytes) -> None:
        """Check what was received, empty if the connection ended; raises TransportError.

        A connection that ends before the first byte is left to the client, which has its own error for it.
        """
        if self.done:
            return
        if self._missing:
            if not data:
                raise closed_early()
            self._missing = max(0, self._missing - len(data))
            self.done = not self._missing
        elif self._framing is not None:
            self._follow(self._framing, data)
        elif data and not self._is_simple(data):
            self._framing = Framing(no_body=self._no_body, keep=False, max_body=self._max_body)
            self._follow(self._framing, data)

    def _is_simple(self, data: bytes) -> bool:
        """Tell whether the head is complete and its Content-Length says where the response ends."""
        head = None if self._no_body else simple_head(data)
        if head is None:
            return False
        if head.length > self._max_body:
            raise over_limit(self._max_body)
        self._missing = max(0, len(head.raw) + head.length - len(data))
        self.done = not self._missing
        return True

    def _follow(self, framing: Framing, data: bytes) -> None:
        if data:
            framing.feed(data)
            self.done = framing.done
        elif framing.end():
            self.done = True
        else:
            raise closed_early()
