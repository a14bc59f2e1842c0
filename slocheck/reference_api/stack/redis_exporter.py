"""The exporter that shows Redis's own counters to Prometheus: memory, evictions, hits of its keys.

The API counts what its reads found; the exporter what Redis did, for all of its clients.
"""

from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import HOST, find, free_port

PROGRAM = "prometheus-redis-exporter"


def launch_redis_exporter(servers: Servers, redis_port: int) -> Server:
    """Launch one for the Redis on a loopback port; raises UsageError (not installed), MeasurementError."""
    port = free_port()
    command = [
        find(PROGRAM, package=PROGRAM),
        f"-redis.addr=redis://{HOST}:{redis_port}",
        f"-web.listen-address={HOST}:{port}",
    ]
    return servers.launch("redis_exporter", command, port=port)
