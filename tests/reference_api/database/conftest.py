"""A real primary with a streaming replica, started once."""

import asyncio
from collections.abc import Iterator

import pytest

from slocheck.reference_api.stack.postgres import start_primary_and_replica
from slocheck.reference_api.stack.processes import Servers
from tests.reference_api.database.shop import Pair, make_shop


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    """Start both, and fill the shop."""
    with Servers() as servers:
        started = Pair(*start_primary_and_replica(servers, durable=False))
        asyncio.run(make_shop(started.primary.url))
        yield started
