"""What a probe calls measurable is what a long enough run decides, and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Verdict
from slocheck.indicators.samples import NoData
from slocheck.pipeline.probe import Simulated, simulated_run
from slocheck.plan.mapping_match import Match, match_mapping
from slocheck.plan.series_queries import UP
from slocheck.sources.scrape.exposition import PageReader
from slocheck.spec.blocks.metric_source.preset import shipped_preset, shipped_presets
from slocheck.spec.model import Endpoint, Preset, Spec
from tests.builders.evidence import make_evidence
from tests.builders.recordings import steady
from tests.builders.specs import make_spec
from tests.plan.test_mapping_match import PAGES, page_families

SECONDS, RATE = 300, 40
BEFORE = 3
INSTANCE = {"instance": "127.0.0.1:80"}
OBJECTIVES = """\
  latency_p95: {source: prometheus, silver: "< 9s"}
  errors: {indicator: error_rate, source: prometheus, silver: "< 5%"}
"""


def spec_of(objectives: str = OBJECTIVES) -> Spec:
    """Return a spec that is graded on the server's numbers, with a confidence."""
    return make_spec(objectives, more='confidence: 95%\nscrape: ["http://127.0.0.1:1/metrics"]\n')


def series_of(page: str, *, without: Sequence[str] = ()) -> Iterator[RawSeries]:
    """Yield the series of a page, once at a moment, without some labels."""
    for one in PageReader(None).read(page, openmetrics=False):
        labels = {name: text for name, text in one.series.labels.items() if name not in without}
        yield RawSeries(one.series.metric, {**labels, **INSTANCE}, (1.0,), (one.value,))


def found_on(page: Path, *, without: Sequence[str] = ()) -> ServerSeries:
    """Return what a source finds on a page, asked by the preset that fits it."""
    text = page.read_text()
    match = match_mapping(page_families(text), shipped_presets())
    assert isinstance(match, Match)
    unique = {(one.metric, frozenset(one.labels.items())): one for one in series_of(text, without=without)}
    up = RawSeries(UP, INSTANCE, (1.0,), (1.0,))
    return ServerSeries("scrape", match.mapping, 1, 1, 1, (up, *unique.values()), 1.0)


def run_on(found: ServerSeries, mapping: Preset) -> ServerSeries:
    """Return a run of five minutes on the series: each second some good requests, all of them fast."""
    times = tuple(float(second) for second in range(SECONDS + 2 * BEFORE))
    good = [one for one in found.series if _is_of_requests(one, mapping)]
    per_metric: dict[tuple[str, str], int] = {}
    grown = []
    for one in found.series:
        key = one.metric, one.labels.get("le", "")
        first = one in good and per_metric.setdefault(key, id(one)) == id(one)
        added = [RATE * min(max(0, int(at) - BEFORE), SECONDS) * first for at in times]
        base = 1.0 if one.metric == UP else one.values[0]
        grown.append(RawSeries(one.metric, one.labels, times, tuple(base + more for more in added)))
    start = float(BEFORE)
    return ServerSeries("scrape", mapping, start, start, start + SECONDS, tuple(grown), 1.0)


def _is_of_requests(one: RawSeries, mapping: Preset) -> bool:
    metrics = (mapping.counter, f"{mapping.histogram}_bucket", f"{mapping.histogram}_count")
    status = one.labels.get(mapping.status_label or "", "200")
    return one.metric in metrics and status.startswith("2")


def verdicts(spec: Spec, found: ServerSeries) -> dict[str, Verdict]:
    """Grade a run on the series against what the client counted; returns each objective's verdict."""
    recording = steady(SECONDS, {10_000: RATE})
    results = assess(spec, make_evidence(recording, server=run_on(found, found.preset))).objectives
    return {result.objective.name: result.levels[0].verdict for result in results}


def simulated(spec: Spec, found: ServerSeries, unasked: Sequence[Endpoint] = ()) -> Simulated:
    """Return the simulated run on the series."""
    run = simulated_run(spec, found, unasked=unasked)
    assert run is not None
    return run


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.txt")), ids=lambda page: page.stem)
@pytest.mark.parametrize(
    "without",
    [
        pytest.param((), id="whole"),
        pytest.param(
            (
                "status",
                "status_code",
                "http_status_code",
                "http_response_status_code",
                "code",
                "envoy_response_code",
            ),
            id="no status",
        ),
        pytest.param(
            (
                "method",
                "path",
                "route",
                "handler",
                "view",
                "http_route",
                "http_target",
                "proxy",
                "envoy_cluster_name",
            ),
            id="no route",
        ),
    ],
)
def test_measurable_is_what_a_long_run_decides(page: Path, without: Sequence[str]) -> None:
    """On the real pages of libraries, whole and with labels missing: the same code, the same result."""
    spec, found = spec_of(), found_on(page, without=without)
    if not found.preset.histogram:
        spec = spec_of(OBJECTIVES.splitlines(keepends=True)[1])
    obstacles = simulated(spec, found).obstacles
    for name, verdict in verdicts(spec, found).items():
        assert (name in obstacles) == (verdict is Verdict.UNDECIDED), (name, verdict, obstacles)


def test_a_latency_is_the_clients_where_the_metrics_have_no_histogram() -> None:
    """It is decided, and the reason says by which side; the server's numbers alone could never decide it."""
    levels = '{silver: "< 11s", gold: "< 1s"}'
    spec = spec_of(
        f"  latency_p95: {levels}\n  p99: {{indicator: latency_p99, endpoint: GET /x, gold: '< 9s'}}\n"
    )
    found = found_on(next(PAGES.glob("haproxy*")))
    assert not simulated(spec, found).obstacles
    recording = steady(SECONDS, {10_000: RATE})
    (both, _) = assess(spec, make_evidence(recording, server=run_on(found, found.preset))).objectives
    why = "no data: preset haproxy has no latency histogram"
    assert [(level.verdict, level.reason) for level in both.levels] == [
        (Verdict.MET, f"decided by the client's count: {why}"),
        (Verdict.BREACHED, "client: more bad requests than the limit allows"),
    ]
    alone = simulated(spec_of('  latency_p95: {source: prometheus, silver: "< 9s"}\n'), found).obstacles
    assert alone["latency_p95"].text == "preset haproxy has no latency histogram; write source: client"


FASTIFY = next(PAGES.glob("fastify-metrics*"))
ONE = '  errors: {{indicator: error_rate, source: prometheus, endpoint: "{}", silver: "< 5%"}}\n'


@pytest.mark.parametrize(
    ("endpoint", "unasked", "text", "fatal"),
    [
        pytest.param("GET /orders", (), "", False, id="there"),
        pytest.param("GET /broken", (), "", False, id="only failures so far: a success would count as well"),
        pytest.param("GET /ordres", (), "route seen: /", True, id="a typo"),
        pytest.param(
            "POST /orders",
            (Endpoint("POST", "/orders"),),
            "no series for POST /orders yet: send one and probe again",
            False,
            id="nobody has asked for it",
        ),
    ],
)
def test_an_endpoint_is_judged_by_its_series(
    endpoint: str, unasked: Sequence[Endpoint], text: str, fatal: bool
) -> None:
    """A missing route is an obstacle, unless it was never requested."""
    obstacle = simulated(spec_of(ONE.format(endpoint)), found_on(FASTIFY), unasked).obstacles.get("errors")
    assert (obstacle is not None) == bool(text)
    if obstacle:
        assert text in obstacle.text
        assert obstacle.fatal is fatal


def test_a_limit_that_nothing_proves_is_not_measurable() -> None:
    """Zero failures need more requests than there are; the other level is decided."""
    levels = spec_of('  errors: {indicator: error_rate, source: prometheus, silver: "< 5%", gold: "<= 0%"}\n')
    obstacle = simulated(levels, found_on(FASTIFY)).obstacles["errors"]
    assert obstacle.text.startswith("gold: no number of requests proves")
    assert not obstacle.fatal


def test_instances_and_usage_are_counted_by_what_counts_them_in_a_run() -> None:
    """One process that shows CPU, memory and its start; with none of its metrics nothing is counted."""
    spec = spec_of()
    spec = replace(spec, target=replace(spec.target, instances=None))
    whole = found_on(FASTIFY)
    run = simulated(spec, whole)
    assert run.instances == Fraction(1)
    assert (len(run.usages), run.tells_starts) == (1, True)
    run = simulated(spec, replace(whole, series=whole.series[:1]))
    assert isinstance(run.instances, NoData)
    assert (run.usages, run.tells_starts) == ((), False)


def test_nothing_is_said_of_a_source_without_series() -> None:
    """There is nothing to simulate a run on."""
    assert simulated_run(spec_of(), ServerSeries("file", shipped_preset("otel"), 1, 1, 1)) is None
