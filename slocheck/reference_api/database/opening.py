"""PostgreSQL as the settings say: with or without pool and replica, with its schema."""

import psycopg

from slocheck.errors import UsageError
from slocheck.reference_api.database.pool import ConnectionPerQuery, Connections, Pool, connection_options
from slocheck.reference_api.database.postgres import PostgresRepository
from slocheck.reference_api.database.replicas import Router
from slocheck.reference_api.database.schema import prepare
from slocheck.reference_api.database.statements import Statements
from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.catalogue import rows


async def open_postgres(settings: Settings, metrics: PoolMetrics) -> PostgresRepository:
    """Create and fill the tables if they are missing, and begin to connect.

    A replica that does not respond is not an error: reads go to the primary until it does.

    Raises:
        UsageError: The primary cannot be used; the message does not show its password.
    """
    try:
        async with await psycopg.AsyncConnection.connect(
            settings.database_url, **connection_options()
        ) as connection:
            await prepare(connection, rows(settings.items), index=settings.index)
    except psycopg.Error as error:
        raise UsageError(f"--database: PostgreSQL cannot be used: {str(error).strip()}") from error
    primary = _connections(settings, settings.database_url, "primary", metrics)
    replica = (
        _connections(settings, settings.replica_url, "replica", metrics)
        if settings.replica and settings.replica_url
        else None
    )
    router = Router(primary, replica, metrics)
    await router.open()
    return PostgresRepository(router, Statements(metrics), one_query=settings.one_query)


def _connections(settings: Settings, url: str, role: str, metrics: PoolMetrics) -> Connections:
    if not settings.pool:
        return ConnectionPerQuery(url, role=role, metrics=metrics)
    return Pool(url, role=role, size=settings.pool_size, timeout_s=settings.pool_timeout_s, metrics=metrics)
