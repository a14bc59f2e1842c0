"""The exporter of Redis, beside a private Redis."""

import httpx

from slocheck.reference_api.stack.processes import Servers
from slocheck.reference_api.stack.redis import start_redis
from slocheck.reference_api.stack.redis_exporter import launch_redis_exporter
from tests.deploy.test_dashboard import OF_REDIS


def test_the_exporter_shows_what_the_dashboard_draws() -> None:
    """Under the names that its queries have, of the Redis that it was pointed at."""
    with Servers() as servers:
        redis = start_redis(servers)
        exporter = launch_redis_exporter(servers, redis.port).wait()
        page = httpx.get(f"http://127.0.0.1:{exporter.port}/metrics", timeout=60).text
    names = {line.split("{")[0].split(" ")[0] for line in page.splitlines() if not line.startswith("#")}
    assert names >= OF_REDIS
    assert "redis_up 1" in page
