"""The connection to Redis: short timeouts, and a breaker that stops trying while it does not respond.

A cache has to be faster than what it saves. So a Redis that hangs is given half a second, once a second,
by one request; everyone else goes to the database at once. A single failure changes nothing, as it may be
one connection, or this process was busy for so long.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from slocheck.errors import UsageError
from slocheck.reference_api.caching import Clock, UnavailableError
from slocheck.reference_api.parts import needs

with needs("redis"):
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

TIMEOUT_S = 0.5
COOL_DOWN_S = 1.0
CONNECTIONS = 64
FAILURES = 3

T = TypeVar("T")


class Breaker:
    """Once some attempts in a row have failed, lets one through at a time.

    Args:
        failures: Failures in a row after which it does so, until an attempt succeeds.
        cool_down: Seconds between the attempts then.
        timer: Seconds that never run backwards.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        cool_down: float = COOL_DOWN_S,
        timer: Clock = time.monotonic,
    ) -> None:
        self._most = failures
        self._cool_down = cool_down
        self._timer = timer
        self._failures = 0
        self._next = 0.0

    def allows(self) -> bool:
        """Whether to try now; after too many failures, only one caller gets True and tries for all."""
        if self._failures < self._most:
            return True
        now = self._timer()
        if now < self._next:
            return False
        self._next = now + self._cool_down
        return True

    def succeeded(self) -> None:
        """Let everyone through again."""
        self._failures = 0

    def failed(self) -> None:
        """Count a failure; after too many, let no call through until the cool-down is over."""
        self._failures += 1
        self._next = self._timer() + self._cool_down


class RedisLink:
    """One client of Redis with a bounded pool, shared by the cache and the locks.

    Args:
        url: ``redis://host:port/number``.
        failed: Called for each attempt that failed.
        timeout: Seconds to connect, to wait for a connection and to wait for a response.
        breaker: When to try again after a failure.
    """

    def __init__(
        self,
        url: str,
        *,
        failed: Callable[[], None] = lambda: None,
        timeout: float = TIMEOUT_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._failed = failed
        self._breaker = breaker or Breaker()
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=timeout,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                retry=Retry(NoBackoff(), 0),
            )
            # does not connect yet, and refuses unknown options
            pool.make_connection()  # type: ignore[no-untyped-call]  # typed in part
        except (ValueError, TypeError) as error:
            raise UsageError(f"--redis: {error}; write redis://HOST:PORT/NUMBER") from None
        self.client: Redis = Redis(connection_pool=pool)

    async def call(self, command: Callable[[], Awaitable[T]]) -> T:
        """Run a command.

        Raises:
            UnavailableError: It failed, or was not tried so soon after a failure.
        """
        if not self._breaker.allows():
            raise UnavailableError
        try:
            result = await command()
        except (RedisError, OSError) as error:
            self._breaker.failed()
            self._failed()
            raise UnavailableError from error
        self._breaker.succeeded()
        return result

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()
        await self.client.connection_pool.disconnect()
