"""L1 in front of L2: this process, then Redis, then the database.

The guide's idea: each level is a hundred times slower than the one before it, so a read asks the fastest
first and leaves a copy in those that it passed.

What goes wrong with the naive form: it copies a value from Redis into the process while another request
deletes it, and keeps that copy for as long as Redis would; and it does not say what happens without Redis.

In production: a time to live of seconds in L1, for that is how long a process serves what another one has
changed; or Redis's own invalidation messages (CLIENT TRACKING), if seconds are too long.
"""

from slocheck.reference_api.caching import Cache, Entry, Hit, Lease, Stored, copies_are_passed


class Tiers:
    """Two caches as one; while L2 is down, L1 carries on alone.

    Within this process nothing stale is served after `delete` or `replace` has returned. Another process
    serves its copy for at most its L1's time to live, and not to reads inside of `past_copies`.
    """

    def __init__(self, l1: Cache, l2: Cache) -> None:
        self._l1 = l1
        self._l2 = l2

    async def get(self, key: str) -> Hit | None:
        """Look in L1, then in L2, whose entry is copied to L1 unless it is deleted meanwhile."""
        copy = None if copies_are_passed() else await self._l1.get(key)
        return copy or await self.refresh(key)

    async def refresh(self, key: str) -> Hit | None:
        """Look in L2, whose entry is copied to L1 unless it is deleted meanwhile."""
        lease = await self._l1.lease(key)
        hit = await self._l2.get(key)
        if hit is not None:
            await self._l1.fill(key, hit.entry, lease)
        return hit

    async def lease(self, key: str) -> Lease:
        """Return the right to fill both."""
        return (*await self._l1.lease(key), *await self._l2.lease(key))

    async def fill(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """Store in L2, and unless it refuses, in L1: what another process invalidated is kept in neither."""
        outcome = await self._l2.fill(key, entry, lease[1:])
        if outcome == "refused":
            return outcome
        own = await self._l1.fill(key, entry, lease[:1])
        return own if outcome == "unavailable" else outcome

    async def replace(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """Store in both what was written; what L2 did not keep, L1 does not keep either."""
        outcome = await self._l2.replace(key, entry, lease[1:])
        if outcome != "stored":
            await self._l1.delete(key)
            return outcome
        return await self._l1.replace(key, entry, lease[:1])

    async def delete(self, *keys: str) -> None:
        """Remove from L2 first: the other way round, a read between the two would copy the old value back."""
        await self._l2.delete(*keys)
        await self._l1.delete(*keys)

    async def close(self) -> None:
        """Close both."""
        await self._l1.close()
        await self._l2.close()
