"""The full stack on this machine: what `slocheck demo --full` starts, from Debian's packages.

Everything is private: folders, loopback ports, processes. It all ends with the `Servers` that keep it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from slocheck.errors import UsageError
from slocheck.reference_api.options import as_options
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.stack.nginx import start_nginx
from slocheck.reference_api.stack.postgres import FOLDERS, PostgresServer, start_primary_and_replica
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import HOST, find
from slocheck.reference_api.stack.prometheus import (
    API_JOB,
    REDIS_JOB,
    WORKER_JOB,
    launch_prometheus,
)
from slocheck.reference_api.stack.redis import redis_url, start_redis
from slocheck.reference_api.stack.redis_exporter import launch_redis_exporter
from slocheck.reference_api.stack.replicas import launch_replica, launch_worker

REPLICAS = 3

PROGRAMS = (
    ("postgres", "postgresql", FOLDERS),
    ("redis-server", "redis-server", ""),
    ("prometheus-redis-exporter", "prometheus-redis-exporter", ""),
    ("nginx", "nginx", ""),
    ("prometheus", "prometheus", ""),
)
"""Program, its Debian package, and where it is if not on PATH."""

Say = Callable[[str], None]
"""Called with what is being started."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every replica of the API shares.

    Attributes:
        settings: The addresses of PostgreSQL, its replica and Redis.
        primary: PostgreSQL.
        copy: Its streaming replica.
        redis: Redis.
        exporter: Shows Redis's metrics.
        worker: Does the jobs, and shows their metrics.
    """

    settings: Settings
    primary: PostgresServer
    copy: PostgresServer
    redis: Server
    exporter: Server
    worker: Server


@dataclass(frozen=True, slots=True)
class Front:
    """What clients and slocheck see.

    Attributes:
        replicas: Of the API.
        url: Base URL of nginx.
        prometheus_url: Base URL of the Prometheus that scrapes the replicas under the job `API_JOB`.
    """

    replicas: tuple[Server, ...]
    url: str
    prometheus_url: str


def require_programs() -> None:
    """Look for all programs before any is started; raises UsageError with the packages that are missing."""
    missing = []
    for program, package, folders in PROGRAMS:
        try:
            find(program, package=package, folders=folders)
        except UsageError:
            missing.append(package)
    if missing:
        packages = " ".join(missing)
        raise UsageError(
            f"the stack needs servers that are not installed; as root: apt-get install {packages}"
        )


def start_parts(servers: Servers, settings: Settings, say: Say) -> Parts:
    """Start PostgreSQL with its replica, Redis with its exporter, and a worker of the queue in it.

    Args:
        servers: Keeps them.
        settings: Of the API; the addresses are filled in.
        say: Called with what is being started.

    Raises:
        UsageError: A program is not installed; what comes before it was started.
        MeasurementError: One did not come up; with the end of its log.
    """
    say("starting PostgreSQL with a streaming replica, Redis with its exporter, and a worker of its queue")
    redis = start_redis(servers, durable=True)
    exporter = launch_redis_exporter(servers, redis.port)
    primary, copy = start_primary_and_replica(servers)
    exporter.wait()
    addressed = replace(settings, database_url=primary.url, replica_url=copy.url, redis_url=redis_url(redis))
    worker = launch_worker(servers, addressed).wait()
    return Parts(addressed, primary, copy, redis, exporter, worker)


def start_front(servers: Servers, parts: Parts, say: Say) -> Front:
    """Start the replicas of the API, nginx in front of them, and Prometheus; raises like `start_parts`."""
    say(f"starting {REPLICAS} replicas of the API behind nginx, and Prometheus")
    options = as_options(parts.settings)
    launched = [launch_replica(servers, f"api-{number}", options) for number in range(1, REPLICAS + 1)]
    addresses = [f"{HOST}:{replica.port}" for replica in launched]
    others = {WORKER_JOB: [f"{HOST}:{parts.worker.port}"], REDIS_JOB: [f"{HOST}:{parts.exporter.port}"]}
    prometheus = launch_prometheus(servers, {API_JOB: addresses, **others})
    for replica in launched:
        replica.wait()
    nginx = start_nginx(servers, addresses)
    prometheus.wait()
    return Front(tuple(launched), f"http://{HOST}:{nginx.port}", f"http://{HOST}:{prometheus.port}")
