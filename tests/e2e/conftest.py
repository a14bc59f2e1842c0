"""Fixtures of the end-to-end tests: real servers on free loopback ports."""

from collections.abc import Iterator

import pytest

from slocheck.reference_api.server import ReferenceApi


@pytest.fixture
def reference_api() -> Iterator[str]:
    """Start the reference API for one test; yields its base URL."""
    with ReferenceApi() as api:
        yield api.url
