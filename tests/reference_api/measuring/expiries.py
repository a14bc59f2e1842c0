"""Queries at each expiry of a hot key, on a real run: ``python -m tests.reference_api.measuring.expiries``.

`slocheck run` sends ``scenarios/stampede.yaml`` to the reference API, once for each strategy, and the API's
own counter of queries, read every second, says how often the database was queried. The run begins with
a cold key, which only the lock guards: its queries are counted apart. Simulated time: see `stampede`.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx

from slocheck.reference_api.server import ReferenceApi
from slocheck.reference_api.settings import Settings, with_strategies
from tests.e2e.support.cli import write_spec

SCENARIO = Path(__file__).parents[3] / "scenarios" / "stampede.yaml"
NAIVE = ("cache-aside", "pool", "one-query")
CHOICES = {"none": (), "lock": ("lock",), "early": ("early-recompute",), "both": ("lock", "early-recompute")}
TTL_S = 1.0
WARMUP_S = 1
SENT = (0, 1, 3, 4)
"""Exit codes of a run that has sent its load: either verdict, or none, as the window is short."""
ITEMS = 20_000
SERVED = 'http_requests_total{method="GET",route="/users/{id}/orders",status_code="200"}'
QUERIES = 'db_queries_total{query="orders"}'


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run showed.

    Attributes:
        requests: Requests that were served.
        queries: Queries to the database.
        waits: Requests that waited for another request's query.
        seconds: Queries in each second of the load after the first two.
    """

    requests: float
    queries: float
    waits: float
    seconds: list[float]


def measure(
    strategies: tuple[str, ...],
    folder: Path,
    *,
    rate: int,
    seconds: int,
    items: int = ITEMS,
    ttl: float = TTL_S,
) -> Measured:
    """Run the scenario against the API with these strategies added to the naive cache."""
    settings = with_strategies(Settings(items=items, ttl_s=ttl), {*NAIVE, *strategies})
    with ReferenceApi(settings=settings) as api:
        workload = f"rate: {rate}/s, warmup: {WARMUP_S}s, duration: {seconds}s"
        spec = write_spec(
            folder, api.url, scenario=SCENARIO.read_text(), scenario_name=SCENARIO.name, workload=workload
        )
        command = [sys.executable, "-m", "slocheck", "run", str(spec), "--quiet", "--reports", str(folder)]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as run:
            pages = [page_of(api.url)]
            while run.poll() is None:
                time.sleep(TTL_S)
                pages.append(page_of(api.url))
            assert run.returncode in SENT, run.returncode
    loaded = [
        value(after, QUERIES) - value(before, QUERIES)
        for before, after in pairwise(pages)
        if value(after, SERVED) > value(before, SERVED) + rate / 2
    ]
    return Measured(
        requests=value(pages[-1], SERVED),
        queries=value(pages[-1], QUERIES),
        waits=value(pages[-1], "cache_waits_total"),
        seconds=loaded[2:],
    )


def page_of(url: str) -> str:
    """Return the API's page of metrics."""
    return httpx.get(f"{url}/metrics", trust_env=False, timeout=30).text


def value(page: str, name: str) -> float:
    """Return one value of a metrics page, 0 if it is not there."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def main(rate: str = "400", seconds: str = "20", items: str = str(ITEMS)) -> None:
    """Print a row for each strategy."""
    sys.stdout.write(f"{rate} requests/s for one key that lives {TTL_S:g} s, {seconds} s each\n")
    sys.stdout.write(
        "strategy   requests  queries  of which in a warm second: mean  most   waited for another's\n"
    )
    for name, strategies in CHOICES.items():
        with tempfile.TemporaryDirectory() as folder:
            found = measure(strategies, Path(folder), rate=int(rate), seconds=int(seconds), items=int(items))
        mean, most = statistics.mean(found.seconds), max(found.seconds)
        row = f"{name:10}{found.requests:9.0f}{found.queries:9.0f}{mean:32.1f}{most:6.0f}{found.waits:23.0f}"
        sys.stdout.write(f"{row}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
