"""What the reference API is made of: its parts by address, and one switch for each strategy.

The default is what runs with nothing installed: SQLite and a cache in the process. An empty address means
the embedded part, or that there is none (a replica, a receiver of traces).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from slocheck.errors import UsageError

EVERY = "all"
NONE = "none"


def strategy(does: str) -> Any:
    """Declare a switch, on by default; `does` says what it does in a few words."""
    return field(default=True, metadata={"strategy": does})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The parts and the switches of one API; a switch whose part is missing has no effect.

    Attributes:
        database_url: ``postgresql://…``, ``sqlite:///PATH``; empty: SQLite, gone at the end.
        replica_url: A streaming replica of that PostgreSQL.
        redis_url: ``redis://…``: the second level of the cache, and the queue of jobs.
        otlp_url: Where spans are sent (``http://127.0.0.1:4318``); empty: there are none.
        workers: Processes that serve, behind one port.
        items: Items for sale; users and orders grow with them.
        cache_items: Most entries of the cache in the process.
        cache_bytes: Most bytes of its values.
        ttl_s: Seconds for which an entry of any cache is used.
        redis_timeout_s: Longest wait for Redis; then the database is queried.
        pool_size: Most connections of one process to one database.
        pool_timeout_s: Longest wait for one of them; then the response is 503.
    """

    database_url: str = ""
    replica_url: str = ""
    redis_url: str = ""
    otlp_url: str = ""
    workers: int = 1
    items: int = 2_000
    cache_items: int = 1_000
    cache_bytes: int = 50_000_000
    ttl_s: float = 300.0
    redis_timeout_s: float = 0.5
    pool_size: int = 4
    pool_timeout_s: float = 10.0

    index: bool = strategy("an index for each frequent query")
    one_query: bool = strategy("orders in one query instead of one a row (N+1)")
    bounded: bool = strategy("a list is one page instead of the whole table")
    keyset: bool = strategy("the next page by key instead of by offset")
    projection: bool = strategy("?fields= reads and sends only these columns")
    pool: bool = strategy("connections are kept, instead of opened for each query")
    replica: bool = strategy("reads go to the replica, except after one's own writes")
    cache_aside: bool = strategy("reads go through a cache")
    memory_cache: bool = strategy("a cache in the process, in front of Redis")
    write_through: bool = strategy("a write updates the cache")
    invalidation: bool = strategy("a deletion drops all cached values that depend on the row")
    lock: bool = strategy("one reader recomputes a missing entry, the others wait for it")
    early_recompute: bool = strategy("an entry is recomputed at random before it expires (XFetch)")
    jobs: bool = strategy("a job does what the response need not wait for")
    events: bool = strategy("handlers of an order's event cannot break the order")
    compression: bool = strategy("responses over 1 kB are compressed")
    cache_headers: bool = strategy("Cache-Control and ETag; 304 for what the client has")
    batch: bool = strategy("POST /batch takes several requests at once")


STRATEGIES: dict[str, str] = {
    each.name.replace("_", "-"): each.metadata["strategy"]
    for each in fields(Settings)
    if "strategy" in each.metadata
}
"""What each switch does, by its name on the command line, in the order of the guide."""


def with_strategies(settings: Settings, names: Iterable[str]) -> Settings:
    """Return the settings with exactly these strategies on.

    Raises:
        UsageError: A name is unknown; the message lists the known ones.
    """
    chosen = set(names)
    for name in sorted(chosen - set(STRATEGIES)):
        raise UsageError(
            f"there is no strategy {name!r}; write {EVERY}, {NONE} or some of {', '.join(STRATEGIES)}"
        )
    switches: dict[str, Any] = {name.replace("-", "_"): name in chosen for name in STRATEGIES}
    return replace(settings, **switches)


def read_strategies(text: str) -> tuple[str, ...]:
    """Read ``all``, ``none`` or names with commas between them."""
    if text == EVERY:
        return tuple(STRATEGIES)
    return () if text == NONE else tuple(name.strip() for name in text.split(",") if name.strip())
