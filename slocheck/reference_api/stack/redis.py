"""A private Redis: in memory, bounded, evicting what was least recently used, as a cache should.

A queue of jobs must not be evicted, and has to survive a crash (`durable`): then only keys with
a time to live are evicted, which all of the cache's have and no job has, and each change is in a log on disk
within a second. In production use two servers, as a full cache slows the queue down.
"""

from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import HOST, find, free_port

MEMORY = "64mb"


def start_redis(servers: Servers, name: str = "redis", *, port: int = 0, durable: bool = False) -> Server:
    """Start a Redis and wait until it listens.

    Args:
        servers: The stack that it belongs to.
        name: Names it in messages, and its folder.
        port: Where it listens on loopback; 0: a free one.
        durable: Whether it never evicts keys without a time to live, and keeps everything across a restart.

    Raises:
        MeasurementError: It does not start.
        UsageError: It is not installed.
    """
    program = find("redis-server", package="redis-server")
    folder = servers.folder / name
    if not folder.exists():
        servers.make_folder(name)
    port = port or free_port()
    log, full = ("yes", "volatile-lru") if durable else ("no", "allkeys-lru")
    options = {
        "bind": HOST,
        "port": str(port),
        "dir": str(folder),
        "save": "",
        "appendonly": log,
        "appendfsync": "everysec",
        "maxmemory": MEMORY,
        "maxmemory-policy": full,
    }
    command = [program, *(word for key, value in options.items() for word in (f"--{key}", value))]
    return servers.start(name, command, port=port)


def redis_url(server: Server) -> str:
    """Return the address of a private Redis."""
    return f"redis://{HOST}:{server.port}/0"
