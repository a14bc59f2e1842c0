"""Replicas of the API and workers of its queue, each a process on its own port."""

import ssl
import sys
from collections.abc import Sequence

import httpx

from slocheck.reference_api.settings import Settings
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import HOST, free_port


def launch_replica(
    servers: Servers,
    name: str,
    options: Sequence[str] = (),
    *,
    port: int = 0,
    trust: ssl.SSLContext | None = None,
) -> Server:
    """Launch a replica; wait for it before it is used.

    Args:
        servers: Keeps it.
        name: Of the server, such as ``api-1``.
        options: Of ``python -m slocheck.reference_api``.
        port: 0: any free one.
        trust: What trusts its certificate, if the options name one.

    Raises:
        MeasurementError: It cannot be started.
    """
    port = port or free_port()
    command = [sys.executable, "-P", "-m", "slocheck.reference_api", "--port", str(port), *options]
    # a replica that is killed leaves its temporary files, which go with the folder
    environment = {"TMPDIR": str(servers.folder)}
    return servers.launch(
        name, command, port=port, ready=lambda: _serves(port, trust), environment=environment
    )


def launch_worker(servers: Servers, settings: Settings) -> Server:
    """Launch a worker of the queue in Redis, its metrics on its port; raises MeasurementError."""
    port = free_port()
    shop = ["--redis", settings.redis_url, "--database", settings.database_url]
    shop += ["--items", str(settings.items)]
    command = [sys.executable, "-P", "-m", "slocheck.reference_api.jobs", *shop]
    return servers.launch("worker", [*command, "--metrics-port", str(port)], port=port)


def _serves(port: int, trust: ssl.SSLContext | None) -> bool:
    url = f"{'https' if trust else 'http'}://{HOST}:{port}/health"
    try:
        return httpx.get(url, verify=trust or True, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
