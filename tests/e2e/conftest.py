"""Fixtures of the end-to-end tests: real servers on free loopback ports."""

import socket
from collections.abc import Iterator

import pytest

from slocheck.reference_api.server import ReferenceApi


@pytest.fixture
def free_port() -> int:
    """Return a port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def reference_api() -> Iterator[str]:
    """Start the reference API for one test; yields its base URL."""
    with ReferenceApi() as api:
        yield api.url
