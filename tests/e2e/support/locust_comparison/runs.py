"""Locust files under Locust alone and under slocheck, each against its own counting server."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from slocheck.evidence.model import LoadResult, Tick
from slocheck.load.engine import LoadEngine
from slocheck.masking import strip_url
from tests.builders.load_plans import make_plan
from tests.e2e.support.forking.forked import forked_master
from tests.e2e.support.locust_comparison.forked_locust import ForkedLocust
from tests.support.shop_server import ShopServer

FILES = Path(__file__).parents[2] / "locustfiles"
HELPER = Path(__file__).with_name("leave_when_done.py")
LONGEST_S = 120
"""Ends a run whose users do not leave by themselves."""

Counts = dict[str, tuple[int, int]]
"""Requests, and those of them that did not succeed, by method and name."""


@dataclass(frozen=True)
class Case:
    """One Locust file whose users send a fixed number of requests and leave.

    Attributes:
        file: Below the folder of the files.
        users: How many of them.
        tags: Only tasks with one of these.
        exclude_tags: No task with one of these.
        options: What the file adds to Locust's command line.
        ends: How the file itself ends the run, as slocheck says it; empty: it does not.
        exit_code: What the file ends Locust with, if it sets that itself.
        lost: What Locust loses: a request whose block raises is never counted there.
    """

    file: str
    users: int = 2
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    ends: str = ""
    exit_code: int = 0
    lost: tuple[tuple[str, tuple[int, int]], ...] = ()

    @property
    def path(self) -> Path:
        """Where it is."""
        return FILES / self.file


@dataclass(frozen=True)
class Outcome:
    """The outcome of a file under one of the two.

    Attributes:
        counts: As it reports them.
        served: What the server received, by method and path.
        said: What it wrote or complained about.
        exit_code: Locust's; for slocheck the one that the file set.
        result: Of slocheck's engine.
    """

    counts: Counts
    served: Counter[str]
    said: str
    exit_code: int
    result: LoadResult | None = None


def alone(case: Case, locust: ForkedLocust) -> Outcome:
    """Run a file under Locust itself until its users have left."""
    tags = ["--tags", *case.tags] if case.tags else []
    excluded = ["--exclude-tags", *case.exclude_tags] if case.exclude_tags else []
    with ShopServer() as server:
        code, out, said = locust.run(
            ["-f", f"{case.path},{HELPER}", "--headless", "--json", "-H", server.url,
             "-u", str(case.users), "-r", "100", "-t", f"{LONGEST_S}s", *tags, *excluded, *case.options],
            cwd=case.path.parent,
        )  # fmt: skip
    entries = json.loads(out) if out.lstrip().startswith("[") else []
    counts = {f"{e['method']} {e['name']}": (e["num_requests"], e["num_failures"]) for e in entries}
    return Outcome(counts, server.counts, said, code)


def under_slocheck(case: Case) -> Outcome:
    """Run a file under slocheck's engine until its users have left."""
    sent = 0

    def on_tick(tick: Tick) -> None:
        """End when all have left: no user is there, and the count is what it was a second ago."""
        nonlocal sent
        before, sent = sent, sum(part.sent for item in tick.recording.endpoints for part in item.slices)
        if tick.users == 0 and sent and sent == before:
            engine.finish()

    with ShopServer() as server:
        plan = make_plan(
            server.url, str(case.path), users=case.users, duration_s=LONGEST_S,
            tags=case.tags, exclude_tags=case.exclude_tags, options=case.options,
            shortest_limit_ns=LONGEST_S * 10**9,
        )  # fmt: skip
        with LoadEngine(plan, forked_master) as engine:
            engine.prepare()
            result = engine.run(on_tick)
    counts = {
        str(recorded.endpoint): (
            sum(part.sent for part in recorded.slices),
            sum(part.failed + part.unexpected for part in recorded.slices),
        )
        for recorded in result.recording.endpoints
    }
    return Outcome(counts, server.counts, result.error, result.health.file.exit_code, result)


class PairedRuns:
    """Runs many files both ways, a few at a time; each result can be asked for."""

    def __init__(self, cases: tuple[Case, ...], locust: ForkedLocust, *, at_once: int = 3) -> None:
        self._pool = ThreadPoolExecutor(at_once)
        self._ours = {case: self._pool.submit(under_slocheck, case) for case in cases}
        self._alone_pool = ThreadPoolExecutor(1)
        self._alone = {case: self._alone_pool.submit(alone, case, locust) for case in cases}

    def outcomes(self, case: Case) -> tuple[Outcome, Outcome]:
        """Wait for a file's runs; return Locust's and slocheck's."""
        return self._alone[case].result(), self._ours[case].result()

    def close(self) -> None:
        """Begin no further runs, and wait for those that were begun."""
        for pool in (self._pool, self._alone_pool):
            pool.shutdown(cancel_futures=True)


def without_query_values(counts: Counts, written: Counts) -> Counts:
    """Return Locust's counts under the names that slocheck gives: those from a URL have no query values.

    Args:
        counts: Locust's.
        written: slocheck's; a name of Locust's that is there was written in the file.
    """
    found: Counts = {}
    for name, (requests, failures) in counts.items():
        key = name if name in written else strip_url(name)
        before = found.get(key, (0, 0))
        found[key] = (before[0] + requests, before[1] + failures)
    return found
