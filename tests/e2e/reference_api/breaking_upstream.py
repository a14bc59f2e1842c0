"""A server that reads a whole request and then drops the connection, like a replica that dies."""

import socket
import threading
from typing import Self


class BreakingUpstream:
    """The server, in a thread of the test; a context manager.

    Attributes:
        address: Host and port.
        requests: Request lines that it received.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection:
                request = b""
                while b"\r\n\r\n" not in request and (part := connection.recv(65_536)):
                    request += part
                self.requests.append(request.partition(b"\r\n")[0].decode())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
