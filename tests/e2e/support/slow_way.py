"""A way between two machines that becomes longer in one direction, as the test says."""

import asyncio
import socket

from tests.e2e.support.loop_server import LoopServer


class SlowWay(LoopServer):
    """Passes TCP connections on to an address of this machine.

    Attributes:
        address: Where it listens.
        back_s: How long whatever comes back from there is held; it may be raised at any time.
    """

    def __init__(self, to: tuple[str, int]) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        super().__init__(listener)
        self.back_s, self._to = 0.0, to
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what either side sends."""
        there, forth = await asyncio.open_connection(*self._to)
        self._writers.add(forth)
        both = self._pass(reader, forth, back=False), self._pass(there, writer, back=True)
        await asyncio.gather(*both, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool) -> None:
        """Write what is read, in the same order, until it ends; then the other side ends as well."""
        while data := await reader.read(1 << 16):
            self._loop.call_later(self.back_s if back else 0.0, writer.write, data)
        self._loop.call_later(self.back_s if back else 0.0, writer.close)
