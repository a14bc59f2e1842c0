"""L2: Redis, which all processes and machines share. A Redis that is down holds nothing and breaks nothing.

The guide's idea: what one process has loaded, the others find within a millisecond, also after a restart.

What goes wrong with the naive form: without timeouts, a Redis that hangs takes the API down with it; a delete
that does not arrive leaves the old value to be found when Redis is back; and a fill that arrives late
overwrites a newer value.

In production: `maxmemory` with `allkeys-lru`, and a time to live on every key (both are here). It needs one
Redis, not Redis Cluster: each script changes a key and its lease, which in a cluster are in different slots.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from slocheck.reference_api.caching import Clock, Entry, Hit, Lease, Stored, UnavailableError
from slocheck.reference_api.caching.codec import decode, encode
from slocheck.reference_api.caching.redis_link import RedisLink

LEASE_S = 30.0
"""Longest time between the lease and the fill; a query that takes longer is not kept."""
MOST_UNSENT = 10_000

_LOCAL = "local:"
"""Prefix of a lease that Redis did not give: nothing is stored under it."""

_LEASE = """
local lease = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], lease, 'PX', ARGV[2])
return lease
"""

_FILL = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

_REPLACE = """
local valid = redis.call('GET', KEYS[2]) == ARGV[1]
redis.call('DEL', KEYS[1], KEYS[2])
if not valid then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisCache:
    """Entries in Redis, each under its key, with its lease under ``lease:`` and the key.

    What could not be deleted is deleted before anything else is asked once Redis responds again, so this
    process never serves what it has invalidated. Other processes may, for at most the time to live.

    Args:
        link: The way to Redis.
        clock: Seconds since the epoch.
    """

    def __init__(self, link: RedisLink, *, clock: Clock = time.time) -> None:
        self._link = link
        self._clock = clock
        self._lease_script = link.client.register_script(_LEASE)
        self._fill_script = link.client.register_script(_FILL)
        self._replace_script = link.client.register_script(_REPLACE)
        self._unsent: dict[str, None] = {}
        self._writes = 0

    async def get(self, key: str) -> Hit | None:
        """Return what Redis has under `key`."""

        async def command() -> bytes | str | None:
            await self._send_unsent()
            return await self._link.client.get(key)

        try:
            stored = await self._link.call(command)
        except UnavailableError:
            return None
        entry = decode(stored) if isinstance(stored, bytes) else None
        return None if entry is None else Hit(entry, "l2")

    async def refresh(self, key: str) -> Hit | None:
        """Return what Redis has under `key`: there are no copies here."""
        return await self.get(key)

    async def lease(self, key: str) -> Lease:
        """Return the right to fill `key`: an existing one, for its full time again, or a new one."""

        async def command() -> bytes:
            await self._send_unsent()
            arguments = (secrets.token_hex(8), _milliseconds(LEASE_S))
            given: bytes = await self._lease_script(keys=(_lease(key),), args=arguments)
            return given

        try:
            given = await self._link.call(command)
        except UnavailableError:
            # replaces a lease while there is none; changes with each write of this process
            return (f"{_LOCAL}{self._writes}",)
        return (given.decode(),)

    async def fill(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """Store what was loaded under `lease`."""
        if lease[0].startswith(_LOCAL):
            return "unavailable"
        try:
            return await self._store(self._fill_script, key, entry, lease)
        except UnavailableError:
            return "unavailable"

    async def replace(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """Store what was written under `lease` and end it; if that cannot be done, delete the key."""
        self._writes += 1
        try:
            return await self._store(self._replace_script, key, entry, lease)
        except UnavailableError:
            self._remember_unsent(key)
            return "unavailable"

    async def delete(self, *keys: str) -> None:
        """Remove the keys and their leases, now or as soon as Redis responds again."""
        self._writes += 1
        self._remember_unsent(*keys)
        try:
            await self._link.call(self._send_unsent)
        except UnavailableError:
            return

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()

    async def _store(
        self, script: Callable[..., Awaitable[Any]], key: str, entry: Entry, lease: Lease
    ) -> Stored:
        left = _milliseconds(entry.expiry - self._clock())
        if left <= 0:
            await self.delete(key)
            return "refused"
        arguments = (lease[0], encode(entry), left)
        kept = await self._link.call(lambda: script(keys=(key, _lease(key)), args=arguments))
        return "stored" if kept else "refused"

    async def _send_unsent(self) -> None:
        if not self._unsent:
            return
        keys = tuple(self._unsent)
        await self._link.client.delete(*keys, *map(_lease, keys))
        for key in keys:
            self._unsent.pop(key, None)

    def _remember_unsent(self, *keys: str) -> None:
        """Remember what to delete; past the bound the oldest is left to its time to live."""
        self._unsent.update(dict.fromkeys(keys))
        while len(self._unsent) > MOST_UNSENT:
            del self._unsent[next(iter(self._unsent))]


def _lease(key: str) -> str:
    return f"lease:{key}"


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
