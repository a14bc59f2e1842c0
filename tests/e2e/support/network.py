"""Machines of a test: network namespaces with one address each, joined by a bridge. It needs root."""

import contextlib
import ctypes
import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
_ALL_PROTOCOLS = 3
_NET = "10.213.0"


class Network:
    """Namespaces that reach each other; `hub` holds the bridge, and everything passes through it.

    Attributes:
        addresses: Each machine's address, by its name.
    """

    def __init__(self, machines: tuple[str, ...]) -> None:
        """Name the machines; nothing is made yet."""
        self._prefix = f"slk{secrets.token_hex(3)}"
        self.addresses = {name: f"{_NET}.{number + 1}" for number, name in enumerate(machines)}

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self) -> None:
        _ip("netns", "add", self.namespace("hub"))
        _ip("-n", self.namespace("hub"), "link", "add", "bridge", "type", "bridge")
        _ip("-n", self.namespace("hub"), "link", "set", "bridge", "up")
        for name, address in self.addresses.items():
            inside = self.namespace(name)
            _ip("netns", "add", inside)
            peer = ("peer", "name", "eth0", "netns", inside)
            _ip("-n", self.namespace("hub"), "link", "add", name, "type", "veth", *peer)
            _ip("-n", self.namespace("hub"), "link", "set", name, "master", "bridge", "up")
            _ip("-n", inside, "address", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", inside, "link", "set", "eth0", "up")
            _ip("-n", inside, "link", "set", "lo", "up")

    def __exit__(self, *_: object) -> None:
        for name in (*self.addresses, "hub"):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", self.namespace(name))

    def namespace(self, name: str) -> str:
        """Return the name of a machine's namespace."""
        return f"{self._prefix}-{name}"

    def prefix(self, name: str) -> list[str]:
        """Return the words that run a command on a machine."""
        return ["ip", "netns", "exec", self.namespace(name)]

    @contextlib.contextmanager
    def partition(self, name: str, other: str) -> Iterator[None]:
        """Silently drop every packet between two machines within the block.

        All their other traffic continues. After the block the network is healed.
        """
        rules = (
            "add table inet cut",
            "add chain inet cut sent { type filter hook output priority 0; }",
            f"add rule inet cut sent ip daddr {self.addresses[other]} drop",
            "add chain inet cut received { type filter hook input priority 0; }",
            f"add rule inet cut received ip saddr {self.addresses[other]} drop",
        )
        nft = [*self.prefix(name), "nft"]
        subprocess.run([*nft, "; ".join(rules)], check=True, capture_output=True)
        try:
            yield
        finally:
            subprocess.run([*nft, "delete table inet cut"], check=True, capture_output=True)

    @contextlib.contextmanager
    def unplugged(self, name: str) -> Iterator[None]:
        """Take a machine off the network within the block: connections fail at once."""
        _ip("-n", self.namespace(name), "link", "set", "eth0", "down")
        try:
            yield
        finally:
            _ip("-n", self.namespace(name), "link", "set", "eth0", "up")

    def on(self, name: str, function: Callable[[], T]) -> T:
        """Call a function in a thread on a machine; the sockets that it makes stay there."""
        with ThreadPoolExecutor(1, initializer=self._enter, initargs=(name,)) as thread:
            return thread.submit(function).result()

    def _enter(self, name: str) -> None:
        descriptor = os.open(Path("/run/netns") / self.namespace(name), os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def captured(self, name: str) -> Iterator[list[bytes]]:
        """Yield a list that gets every packet to and from a machine, as it is on the wire."""
        packets: list[bytes] = []
        wire = self.on("hub", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, _everything()))
        wire.bind((name, 0))
        wire.settimeout(0.2)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    packets.append(wire.recv(1 << 16))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield packets
        finally:
            over.set()
            thread.join()
            wire.close()


def _everything() -> int:
    return socket.htons(_ALL_PROTOCOLS)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
