"""A way between two machines that becomes longer in one direction, as the test says."""

import asyncio
import contextlib
import socket
import threading
from typing import Self


class SlowWay:
    """Passes TCP connections on to an address of this machine.

    Attributes:
        address: Where it listens.
        back_s: How long whatever comes back from there is held; it may be raised at any time.
    """

    def __init__(self, to: tuple[str, int]) -> None:
        self.back_s, self._to = 0.0, to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._writers: list[asyncio.StreamWriter] = []
        self._open = 0
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._serve, sock=self._listener)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        """End all connections, and wait until they are closed."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        while self._open:  # noqa: ASYNC110 - a few rounds of the loop
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # the sockets close in the loop's next round

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self._writers.append(writer)
        with contextlib.suppress(OSError):
            there, forth = await asyncio.open_connection(*self._to)
            self._writers.append(forth)
            both = self._pass(reader, forth, back=False), self._pass(there, writer, back=True)
            await asyncio.gather(*both, return_exceptions=True)
        self._open -= 1

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool) -> None:
        """Write what is read, in the same order, until it ends; then the other side ends as well."""
        while data := await reader.read(1 << 16):
            self._loop.call_later(self.back_s if back else 0.0, writer.write, data)
        self._loop.call_later(self.back_s if back else 0.0, writer.close)
