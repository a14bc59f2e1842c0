"""Chooses the shop's database by the settings; the only module that knows databases by name."""

import sqlite3
from pathlib import Path

from slocheck.errors import UsageError
from slocheck.reference_api.database.sqlite import SqliteRepository
from slocheck.reference_api.database.sqlite_pool import SqlitePool
from slocheck.reference_api.database.sqlite_schema import prepare
from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.parts import needs
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.catalogue import rows
from slocheck.reference_api.shop.repository import Repository

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


async def open_repository(settings: Settings, metrics: PoolMetrics) -> Repository:
    """Open the database and fill it if it is new; raises UsageError if its address cannot be used."""
    if settings.database_url.startswith(POSTGRES):
        with needs("psycopg"), needs("psycopg_pool"):
            from slocheck.reference_api.database.opening import (  # noqa: PLC0415 - SQLite does not need it
                open_postgres,
            )
        return await open_postgres(settings, metrics)
    path = fill_sqlite(settings)
    pool = SqlitePool(
        path,
        size=settings.pool_size,
        timeout_s=settings.pool_timeout_s,
        kept=settings.pool,
        metrics=metrics,
    )
    return SqliteRepository(pool, metrics, one_query=settings.one_query)


def fill_sqlite(settings: Settings) -> Path:
    """Create and fill the file, unless that was done; returns its path; raises UsageError."""
    path = sqlite_path(settings.database_url)
    try:
        prepare(path, rows(settings.items), index=settings.index)
    except sqlite3.Error as error:
        raise UsageError(f"--database: {path} cannot be used: {error}") from error
    return path


def sqlite_path(url: str) -> Path:
    """Return the file that an address names; raises UsageError."""
    path = url.removeprefix(SQLITE)
    if path == url or not path:
        raise UsageError(
            f"--database: {url!r} is not an address; write {SQLITE}PATH or postgresql://HOST/NAME"
        )
    return Path(path)
