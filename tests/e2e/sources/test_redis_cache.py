"""A cache hit rate from a real Redis, through its exporter and a real Prometheus."""

from pathlib import Path
from typing import Any

from tests.e2e.support.cli import result_of, slocheck, write_spec
from tests.e2e.support.servers.prometheus_server import start_prometheus
from tests.e2e.support.servers.redis_server import LookupApi, Redis

SCENARIO = """\
feeders:
  key: {list: [a, b, c, d, e, f, g, h, i, absent]}
flows:
  - steps: [{get: "/items/{key}", name: "GET /items/{id}"}]
"""
OBJECTIVES = """\
  cache_hit_rate: {source: prometheus, bronze: "> 10%", silver: "> 85%"}
"""
CACHE = "{hits: redis_keyspace_hits_total, misses: redis_keyspace_misses_total, selector: {job: redis}}"


def test_the_hit_rate_of_redis_is_exact(tmp_path: Path) -> None:
    """Nine of ten keys are there: the exporter's counters match the API's, to the lookup."""
    with (
        Redis(tmp_path) as redis,
        LookupApi(redis) as api,
        start_prometheus(tmp_path, {"shop": [f"{api.url}/metrics"], "redis": [redis.metrics]}) as prometheus,
    ):
        for key in "abcdefghi":
            assert redis.ask("SET", key, "1") == "+OK"
        write_spec(
            tmp_path,
            api.url,
            objectives=OBJECTIVES,
            source=f'prometheus: {{url: "{prometheus.url}", selector: {{job: shop}}, cache: {CACHE}}}\n',
            workload="rate: 50/s, warmup: 0s, duration: 5s",
            scenario=SCENARIO,
            scenario_name="look.yaml",
            more="confidence: none\n",
        )
        done = slocheck("run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = result_of(done)
    objective: dict[str, Any] = result["objectives"][0]
    (side,) = objective["levels"][0]["sides"]
    assert (side["total"], side["bad"]) == (api.hits + api.misses, api.misses)
    assert side["total"] == result["run"]["requests"] > 0
    assert "lookups of all its clients" in side["notes"][0]
    assert {item["verdict"] for item in objective["levels"]} == {"met"}
