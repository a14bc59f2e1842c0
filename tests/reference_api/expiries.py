"""Queries at each expiry of a hot key, on a real run: ``python -m tests.reference_api.expiries``.

`slocheck run` sends ``scenarios/stampede.yaml`` to the reference API, once for each strategy, and the API's
own counter of queries says how often the database was asked. Simulated time: see `stampede`.
"""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx

from slocheck.reference_api.server import ReferenceApi
from slocheck.reference_api.settings import Settings, with_strategies
from tests.e2e.support.cli import write_spec

SCENARIO = Path(__file__).parents[2] / "scenarios" / "stampede.yaml"
NAIVE = ("cache-aside", "pool", "one-query")
CHOICES = {"none": (), "lock": ("lock",), "early": ("early-recompute",), "both": ("lock", "early-recompute")}
TTL_S = 1.0
WARMUP_S = 1
NO_VERDICT = 4
"""How a run ends whose window is too short for a verdict; its load is sent all the same."""
ITEMS = 20_000


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run showed.

    Attributes:
        requests: Requests that were served.
        queries: Queries to the database.
        waits: Requests that waited for another one's query.
    """

    requests: float
    queries: float
    waits: float


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
        done = subprocess.run(command, check=False, cwd=folder, stdout=subprocess.DEVNULL, timeout=240)
        assert done.returncode in (0, NO_VERDICT), done.returncode
        page = httpx.get(f"{api.url}/metrics", trust_env=False).text
    route = 'http_requests_total{method="GET",route="/users/{id}/orders",status_code="200"}'
    return Measured(
        requests=value(page, route),
        queries=value(page, 'db_queries_total{query="orders"}'),
        waits=value(page, "cache_waits_total"),
    )


def value(page: str, name: str) -> float:
    """Return one value of a metrics page, 0 if it is not there."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def main(rate: str = "400", seconds: str = "20", items: str = str(ITEMS)) -> None:
    """Print a row for each strategy."""
    sys.stdout.write(f"{rate} requests/s for one key that lives {TTL_S:g} s, {seconds} s each\n")
    sys.stdout.write("strategy   requests  queries  queries a second   waited for another's\n")
    for name, strategies in CHOICES.items():
        with tempfile.TemporaryDirectory() as folder:
            found = measure(strategies, Path(folder), rate=int(rate), seconds=int(seconds), items=int(items))
        each = found.queries / (int(seconds) + WARMUP_S)
        sys.stdout.write(
            f"{name:10}{found.requests:9.0f}{found.queries:9.0f}{each:19.1f}{found.waits:22.0f}\n"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
