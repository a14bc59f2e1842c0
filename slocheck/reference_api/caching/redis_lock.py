"""A lock in Redis: owned, expiring, and released only by its owner.

The guide's sketch sets ``1`` and deletes it afterwards, so a late owner deletes the lock of the next one.
Here the value is the owner's random token, and one script compares and deletes.

Source: redis.io, "Distributed locks with Redis", the pattern for a single instance. It saves work, which is
all that it is used for: it does not promise mutual exclusion through a failover of Redis.
"""

import secrets

from slocheck.reference_api.caching import UnavailableError
from slocheck.reference_api.caching.redis_link import RedisLink

LOCK_S = 6.0
"""Seconds until a lock expires if its owner dies: longer than the database lets a query run."""

_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisLocks:
    """Locks by key, under ``lock:`` and the key.

    Args:
        link: The way to Redis.
        lives: Seconds after which a lock ends by itself.
    """

    def __init__(self, link: RedisLink, *, lives: float = LOCK_S) -> None:
        self._link = link
        self._lives = int(lives * 1000)
        self._release = link.client.register_script(_RELEASE)

    async def acquire(self, key: str) -> str | None:
        """Try once; returns the token of the owner, None if somebody else has the lock.

        Raises:
            UnavailableError: Redis did not respond.
        """
        token = secrets.token_hex(8)
        taken = await self._link.call(
            lambda: self._link.client.set(f"lock:{key}", token, nx=True, px=self._lives)
        )
        return token if taken else None

    async def release(self, key: str, token: str) -> bool:
        """Release the lock if `token` still owns it; returns whether it did. Left alone, it expires."""
        try:
            return bool(await self._link.call(lambda: self._release(keys=(f"lock:{key}",), args=(token,))))
        except UnavailableError:
            return False
