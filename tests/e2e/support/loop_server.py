"""A TCP server of a test: an asyncio loop in its own thread, whose connections end with it."""

import asyncio
import contextlib
import socket
import threading
from abc import ABC, abstractmethod
from typing import Self


class LoopServer(ABC):
    """Serves a listening socket; use it as a context manager."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._writers: set[asyncio.StreamWriter] = set()
        self._served = 0

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends; what breaks it is ignored."""

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._connected, sock=self._listener)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served += 1
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self.serve(reader, writer)
        self._served -= 1

    async def _close(self) -> None:
        """End all connections, and wait until they are closed."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        while self._served:  # noqa: ASYNC110 - a few rounds of the loop
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # the sockets close in the loop's next round
