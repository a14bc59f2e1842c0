"""What CurveZMQ costs a message: ``python -m tests.benchmarks.curve``.

Two pairs of sockets over TCP on loopback, one as machines and their coordinator have them and one without
CurveZMQ, take turns with messages of the same size. CPU is that of this process with ZeroMQ's own threads,
both ends together, while messages come in bursts. The time of a message is half of that there and back.
"""

import argparse
import time
from typing import Any, Self

import numpy as np
import zmq

from slocheck.load.messaging.curve_access import in_frames, limit, workers_keys

SIZES = (200, 2_000, 16_500, 53_000)
"""Bytes: a sign of life, a small report, and reports of 20 endpoints at 2,000/s and at 10,000/s."""
ROUNDS, BURSTS, BURST, TRIPS = 21, 10, 50, 200
SECRET = "00" * 32


class Pair:
    """Two connected sockets."""

    def __init__(self, *, curve: bool) -> None:
        """Connect them, with CurveZMQ or without."""
        self._context: zmq.Context[Any] = zmq.Context()
        self._server, self._client = self._context.socket(zmq.ROUTER), self._context.socket(zmq.DEALER)
        for socket in (self._server, self._client):
            limit(socket)
        if curve:
            server_public, server_secret = zmq.curve_keypair()
            self._server.curve_server, self._server.curve_secretkey = True, server_secret
            self._client.curve_publickey, self._client.curve_secretkey = workers_keys(SECRET)
            self._client.curve_serverkey = server_public
        port = self._server.bind_to_random_port("tcp://127.0.0.1")
        self._client.connect(f"tcp://127.0.0.1:{port}")

    def __enter__(self) -> Self:
        self.trips(b"there", 1)
        return self

    def __exit__(self, *_: object) -> None:
        self._context.destroy(linger=0)

    def burst(self, body: bytes) -> None:
        """Send some messages, and receive them."""
        for _ in range(BURST):
            self._client.send_multipart([b"", *in_frames(body)])
        for _ in range(BURST):
            self._server.recv_multipart()

    def trips(self, body: bytes, count: int) -> None:
        """Send messages there and back, one after the other."""
        for _ in range(count):
            self._client.send_multipart([b"", *in_frames(body)])
            machine, *frames = self._server.recv_multipart()
            self._server.send_multipart([machine, *frames])
            self._client.recv_multipart()

    def costs(self, body: bytes) -> tuple[float, float]:
        """Return the CPU and the time of a message, microseconds."""
        cpu = time.process_time()
        for _ in range(BURSTS):
            self.burst(body)
        cpu = time.process_time() - cpu
        begun = time.perf_counter()
        self.trips(body, TRIPS)
        passed = time.perf_counter() - begun
        return 1e6 * cpu / (BURSTS * BURST), 1e6 * passed / (2 * TRIPS)


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"microseconds a message, both ends together: medians of {ROUNDS} rounds in turn")  # noqa: T201 - its output
    heads = ("CPU without", "CPU with", "difference", "time without", "time with", "difference")
    print(f"{'bytes':>8}", *(f"{head:>13}" for head in heads))  # noqa: T201 - as above
    with Pair(curve=False) as plain, Pair(curve=True) as sealed:
        for size in SIZES:
            body = bytes(size)
            found = np.array([(*plain.costs(body), *sealed.costs(body)) for _ in range(ROUNDS)])
            cells = []
            for column in (0, 1):
                without, having = found[:, column], found[:, column + 2]
                cells += [np.median(without), np.median(having), np.median(having - without)]
            print(f"{size:>8,}", *(f"{cell:>13,.1f}" for cell in cells), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
