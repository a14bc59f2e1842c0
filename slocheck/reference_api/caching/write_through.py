"""Write-through: the writer updates the database, then the cache, so that the next read is a hit.

The guide's idea: whoever changes a value knows the new one, so the cache is updated rather than emptied.

What goes wrong with the naive form: two writers update the database in one order and the cache in the other,
and the older value stays; and a writer that fails or is cancelled between the two leaves the old one.

In production: this for values that are read soon after they are written, and invalidation for the rest.
"""

import asyncio

from slocheck.reference_api.caching import Load
from slocheck.reference_api.caching.cache_aside import Filler


class WriteThrough:
    """Writes through a cache.

    Of writers that overlap, the first one stores its value, and each later one deletes the key instead, as
    only the database knows their order. A change that fails or is cancelled deletes the key, too, as it is
    unknown whether it took effect.
    """

    def __init__(self, filler: Filler) -> None:
        self._filler = filler

    async def write(self, key: str, change: Load) -> bytes | None:
        """Run `change` in the database and keep the value that it returns, None meaning that there is none.

        Raises:
            Exception: Whatever `change` raised.
        """
        cache = self._filler.cache
        lease = await cache.lease(key)
        replaced = False
        try:
            value = await change()
            if value is not None:
                await cache.replace(key, self._filler.entry(value, 0.0), lease)
                replaced = True
        finally:
            if not replaced:
                await asyncio.shield(cache.delete(key))
        return value
