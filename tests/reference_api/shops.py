"""A shop in this process, in its own file, for the length of a test."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx
from starlette.types import ASGIApp

from slocheck.reference_api.app import opened
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.observability.metrics import Metrics
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.repository import Repository
from slocheck.reference_api.stored import SQLITE, open_repository

Result = TypeVar("Result")

NO_FAULTS = Faults()
ITEMS = 200
"""Items of a test's shop, enough for several pages."""


def with_app(do: Callable[[ASGIApp], Awaitable[Result]], settings: Settings, faults: Faults) -> Result:
    """Run `do` with the application; its file is gone afterwards."""

    async def session(folder: str) -> Result:
        async with opened(replace(settings, database_url=f"{SQLITE}{folder}/shop.db"), faults) as app:
            return await do(app)

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(session(folder))


def client_of(app: ASGIApp, accept: str = "*/*") -> httpx.AsyncClient:
    """Return a client whose requests go to `app` without a socket."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://shop", headers={"accept": accept})


def with_repository(
    do: Callable[[Repository], Awaitable[Result]],
    folder: Path,
    settings: Settings,
    metrics: Metrics | None = None,
) -> Result:
    """Run `do` with a repository on the file in `folder`, which is made if there is none."""
    own = replace(settings, database_url=f"{SQLITE}{folder}/shop.db")

    async def session() -> Result:
        repository = await open_repository(own, (metrics or Metrics()).pool)
        try:
            return await do(repository)
        finally:
            await repository.close()

    return asyncio.run(session())
