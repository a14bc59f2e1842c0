"""A Prometheus that scrapes the replicas of the API and the exporter of Redis.

The idea: each process counts, one server asks them all, and a query adds them up, whichever replica served.

What goes wrong with the naive form: scraping through the load balancer reads another replica each time, so
counters seem to fall and a rate is nonsense; and an interval as long as the run leaves too few samples.

In production: replicas found by DNS or Kubernetes, not listed (``deploy/prometheus.yml``), an interval of
5 to 15 seconds, and a retention that outlives the release.
"""

import json
import signal
from collections.abc import Mapping, Sequence

import httpx

from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import HOST, find, free_port

API_JOB = "shop-api"
WORKER_JOB = "shop-worker"
REDIS_JOB = "redis"
INTERVAL = "1s"


def launch_prometheus(servers: Servers, targets: Mapping[str, Sequence[str]]) -> Server:
    """Launch one that is ready once it has scraped every target.

    Args:
        servers: Keeps it.
        targets: ``host:port`` of the metrics pages, by job.

    Raises:
        UsageError: It is not installed.
        MeasurementError: It cannot be started.
    """
    program = find("prometheus", package="prometheus")
    port = free_port()
    folder = servers.make_folder("prometheus")
    file = folder / "prometheus.yml"
    jobs = [{"job_name": job, "static_configs": [{"targets": list(pages)}]} for job, pages in targets.items()]
    timing = {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL}
    file.write_text(json.dumps({"global": timing, "scrape_configs": jobs}), encoding="utf-8")
    url = f"http://{HOST}:{port}"
    expected = sum(len(pages) for pages in targets.values())
    command = [
        program,
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=1d",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=warn",
    ]
    return servers.launch(
        "prometheus",
        command,
        port=port,
        ready=lambda: _targets_up(url) == expected,
        stop_signal=signal.SIGKILL,  # what it would write in order is removed all the same
    )


def _targets_up(url: str) -> int:
    """Return how many targets the last scrape found."""
    try:
        reply = httpx.get(f"{url}/api/v1/query", params={"query": "sum(up)"}, timeout=5, trust_env=False)
        result = reply.raise_for_status().json()["data"]["result"]
    except (httpx.HTTPError, ValueError):
        return 0  # it is still reading its data
    return int(result[0]["value"][1]) if result else 0
