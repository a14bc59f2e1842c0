"""A small HTTP server with planted behaviour, in a thread of its own; it counts what was really sent."""

import asyncio
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Self

Handler = Callable[["LoadServer", str, asyncio.StreamWriter], Awaitable[bool]]


def response(body: bytes = b"ok", status: int = 200, headers: str = "") -> bytes:
    """Return a whole response with a Content-Length."""
    return f"HTTP/1.1 {status} Planted\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


async def _delay(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    del server
    await asyncio.sleep(float(rest) / 1000)
    writer.write(response())
    return True


async def _status(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    del server
    writer.write(response(status=int(rest)))
    return True


async def _encoded(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    """Respond with a status and no body, which a header says is compressed: ``encoded/STATUS``."""
    del server
    writer.write(response(b"", int(rest), "Content-Encoding: gzip\r\n"))
    return True


async def _reset(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    """Send half of a body, then a TCP reset."""
    del server, rest
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.02)
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


async def _hang(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    del rest, writer
    await server.closing.wait()
    return False


async def _garbage(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    del server, rest
    writer.write(b"\x00\x01 this is not HTTP\r\n\r\n")
    return False


async def _close(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    """Respond completely, then close without announcing it in the headers."""
    del server, rest
    writer.write(response())
    return False


async def _silent(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    """Close instead of responding."""
    del server, rest, writer
    return False


async def _cache(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    del server
    writer.write(response(headers=f"X-Cache: {rest}\r\n"))
    return True


async def _redirect(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    del server
    writer.write(response(status=302, headers=f"Location: http://{rest}/ok\r\n"))
    return True


async def _to(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    """Redirect to a path of this server, such as a login page: ``to/login``."""
    del server
    writer.write(response(status=302, headers=f"Location: /{rest}?next=%2F\r\n"))
    return True


async def _login(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    del server, rest
    form = b"<!doctype html><title>Log in</title><form method=post><input name=user></form>"
    writer.write(response(form, headers="Content-Type: text/html\r\n"))
    return True


async def _every(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    """Respond to every n-th request with another status, to the others with 200: ``every/N-STATUS``."""
    number, status = map(int, rest.split("-"))
    missing = server.counts[f"/every/{rest}"] % number == 0
    writer.write(response(status=status if missing else 200))
    return True


async def _drip(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    """Send a byte every 50 ms, for as long as anybody listens."""
    del rest
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not server.closing.is_set() and not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)
    return False


async def _stall(server: "LoadServer", rest: str, writer: asyncio.StreamWriter) -> bool:
    """Stall once, from the request with this number on: ``stall/NUMBER-STALL_MS-SERVICE_MS``.

    The requests are served one after the other. When each response was written is kept: that is the truth
    about every request's wait.
    """
    number, length_ms, service_ms = map(float, rest.split("-"))
    server.stalling += 1
    now = asyncio.get_running_loop().time()
    begun = max(now, server.free_at) + (length_ms / 1000 if server.stalling == number else 0)
    server.free_at = begun + service_ms / 1000
    if now < server.free_at:
        await asyncio.sleep(server.free_at - now)
    server.stall_responses.append(time.time())  # before: this thread may have to wait after it has written
    writer.write(response())
    return True


HANDLERS: dict[str, Handler] = {
    "delay": _delay,
    "status": _status,
    "encoded": _encoded,
    "reset": _reset,
    "hang": _hang,
    "garbage": _garbage,
    "close": _close,
    "silent": _silent,
    "cache": _cache,
    "redirect": _redirect,
    "to": _to,
    "login": _login,
    "drip": _drip,
    "every": _every,
    "stall": _stall,
}


class LoadServer:
    """Serves ``/<behaviour>/<argument>``; any other path returns 200 at once.

    Attributes:
        counts: Requests received by path, query left out.
        closing: Set when the server ends.
        stalling: Requests of the stalling behaviour.
        free_at: When it has served all of them, on the loop's clock.
        stall_responses: When it responded to each of them, epoch seconds.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.closing = asyncio.Event()
        self.stalling = 0
        self.free_at = 0.0
        self.stall_responses: list[float] = []
        self._tls = tls
        self._port = 0
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"{'https' if self._tls else 'http'}://localhost:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.closing.set)
        self._thread.join(10)

    def _serve(self) -> None:
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=self._tls, backlog=1000)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self.closing.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                await writer.drain()
        except (OSError, ValueError, IndexError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has left, or speaks TLS to this port
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; tells whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ", 2)[1].split("?")[0]
        self.counts[path] += 1
        _, behaviour, *rest = path.split("/", 2)
        if behaviour not in HANDLERS:
            writer.write(response())
            return True
        return await HANDLERS[behaviour](self, rest[0] if rest else "", writer)
