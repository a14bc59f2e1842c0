"""Who gets through to the coordinator: only a peer with the server's public key and the workers' key."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
import zmq

from slocheck.load.machine.uplink import answering
from slocheck.load.messaging.curve_access import (
    FRAME_BYTES,
    Doorkeeper,
    in_frames,
    limit,
    of_frames,
    workers_keys,
)
from slocheck.load.messaging.signing import MAX_MESSAGE_BYTES
from tests.support.waiting import wait_until

SECRET, OTHER = "ab" * 32, "cd" * 32
PUBLIC_KEY, SECRET_KEY = (key.decode() for key in zmq.curve_keypair())
POLL_MS = 20_000
"""Milliseconds within which an expected message arrives."""


class Site:
    """A coordinator's socket with its authenticator, and peers.

    Attributes:
        coordinator: The socket.
        refused: Addresses of those who were refused.
        port: Where it listens.
    """

    def __init__(self) -> None:
        self._context = zmq.Context()
        self._peers: list[zmq.Socket[bytes]] = []
        self.coordinator = self._context.socket(zmq.ROUTER)
        limit(self.coordinator)
        self._doorkeeper = Doorkeeper(self.coordinator, SECRET_KEY, SECRET)
        self.refused = self._doorkeeper.refused
        self.port = self.coordinator.bind_to_random_port("tcp://127.0.0.1")

    def peer(self, server_key: str | None, keys: tuple[bytes, bytes] | None = None) -> "zmq.Socket[bytes]":
        """Connect with these keys; a peer without CURVE has no server key."""
        peer = self._context.socket(zmq.DEALER)
        self._peers.append(peer)
        peer.reconnect_ivl = -1
        if server_key:
            peer.curve_publickey, peer.curve_secretkey = keys or zmq.curve_keypair()
            peer.curve_serverkey = server_key.encode()
        peer.connect(f"tcp://127.0.0.1:{self.port}")
        return peer

    def received(self) -> list[bytes]:
        """Return the next message's frames, without the sender."""
        assert self.coordinator.poll(POLL_MS)
        return self.coordinator.recv_multipart()[1:]

    def close(self) -> None:
        """Close all; the authenticator ends with the context."""
        for socket in (self.coordinator, *self._peers):
            socket.close(linger=0)
        self._context.term()


@pytest.fixture
def site() -> Iterator[Site]:
    """Make a coordinator's socket."""
    made = Site()
    yield made
    made.close()


def test_the_keys_follow_from_the_secret_of_both_files() -> None:
    """The same on both sides, another pair for another secret, and the secret key is not the secret."""
    public, secret = workers_keys(SECRET)
    assert workers_keys(SECRET) == (public, secret)
    assert zmq.curve_public(secret) == public
    assert workers_keys(OTHER)[0] != public
    assert len(public) == len(secret) == 40


def test_only_both_keys_open_the_door(site: Site) -> None:
    """Without CURVE or one of both keys no message arrives, and the peer's address is known."""
    strangers = (
        site.peer(None),
        site.peer(zmq.curve_keypair()[0].decode(), workers_keys(SECRET)),
        site.peer(PUBLIC_KEY),
        site.peer(PUBLIC_KEY, workers_keys(OTHER)),
    )
    for stranger in strangers:
        with suppress(zmq.Again):  # its connection may be closed already
            stranger.send_multipart([b"", b"junk"], zmq.NOBLOCK)
    wait_until(lambda: len(site.refused) == len(strangers), "all are refused")
    assert set(site.refused) <= {"127.0.0.1", ""}, "empty where the connection was closed too soon"
    assert site.refused.count("127.0.0.1") >= 2, "of those who shook hands"
    friend = site.peer(PUBLIC_KEY, workers_keys(SECRET))
    friend.send_multipart([b"", b"hello"])
    assert site.received() == [b"", b"hello"]


def test_who_looks_whether_a_coordinator_is_there_is_not_a_stranger(site: Site) -> None:
    """It leaves silently; a slow or disconnected peer does not count as refused either."""
    assert answering("127.0.0.1", site.port) == ("127.0.0.1", False)
    friend = site.peer(PUBLIC_KEY, workers_keys(SECRET))
    friend.send(b"")
    site.received()
    assert not site.refused


def test_a_body_of_any_size_travels_in_small_frames(site: Site) -> None:
    """What a peer can send before it is authenticated stays small; a larger frame ends its connection."""
    body = bytes(range(256)) * (3 * FRAME_BYTES // 256) + b"."
    friend = site.peer(PUBLIC_KEY, workers_keys(SECRET))
    friend.send_multipart([b"worker", *in_frames(body)])
    worker, *frames = site.received()
    assert worker == b"worker"
    assert max(map(len, frames)) == FRAME_BYTES
    assert of_frames(frames) == body
    friend.send_multipart([b"worker", bytes(2 * FRAME_BYTES)])
    other = site.peer(PUBLIC_KEY, workers_keys(SECRET))
    other.send(b"next")
    assert site.received() == [b"next"]


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES, FRAME_BYTES + 1])
def test_frames_are_the_body(size: int) -> None:
    """At least one, and as few as possible; more than the largest message is not accepted."""
    frames = in_frames(b"x" * size)
    assert len(frames) == max(1, -(-size // FRAME_BYTES))
    assert of_frames([bytes(frame) for frame in frames]) == b"x" * size
    assert of_frames([b"x" * FRAME_BYTES] * (MAX_MESSAGE_BYTES // FRAME_BYTES)) is not None
    assert of_frames([b"x" * FRAME_BYTES] * (MAX_MESSAGE_BYTES // FRAME_BYTES) + [b"x"]) is None
