"""The report's numbers agree with each other, whatever was recorded."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.grading.assess import assess
from slocheck.grading.report import Report
from slocheck.indicators.client import ClientSide, client_sample
from slocheck.indicators.samples import Share
from slocheck.reporters import totals
from slocheck.reporters.breach import breakdown
from slocheck.reporters.html import tables, view
from slocheck.reporters.html.charts import distributions
from slocheck.reporters.html.charts.clock import clock_of
from slocheck.reporters.html.charts.timeline import timeline
from slocheck.reporters.html.why import reasons
from slocheck.spec.model import Endpoint, FailureRule
from tests.builders.recordings import THRESHOLDS, make_recording, make_slice
from tests.builders.reports import objectives, report, spec

WARMUP, WINDOW = 3, 6
FAILURES = (FailureClass.STATUS, FailureClass.TIMEOUT, FailureClass.UNEXPECTED, FailureClass.GENERATOR)


@st.composite
def slices(draw: st.DrawFn, second: int) -> SliceCounts:
    """Draw what one endpoint did in a second."""
    latencies = draw(st.dictionaries(st.integers(1, 4000), st.integers(1, 30), max_size=4))
    failures = draw(st.dictionaries(st.sampled_from(FAILURES), st.integers(1, 9), max_size=4))
    known = {503: failures.get(FailureClass.STATUS, 0), 404: failures.get(FailureClass.UNEXPECTED, 0)}
    silent = sum(failures.get(why, 0) for why in (FailureClass.TIMEOUT, FailureClass.GENERATOR))
    known |= {200: sum(latencies.values()), 0: silent}
    return make_slice(
        second, {float(ms): n for ms, n in latencies.items()}, failures=failures, statuses=known, cache=(2, 1)
    )


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Draw a run of some endpoints, in which an endpoint may be silent."""
    items = []
    for number in range(draw(st.integers(0, 3))):
        seconds = draw(st.sets(st.integers(-1, WARMUP + WINDOW + 2), max_size=5))
        parts = tuple(draw(slices(second)) for second in sorted(seconds))
        items.append(EndpointRecording.of(Endpoint("GET", f"/{number}"), parts))
    return Recording(THRESHOLDS, tuple(items), (), WARMUP, WINDOW)


def of(found: Recording) -> Report:
    """Return the sample run with another recording; verdicts are those of the sample."""
    sample = report()
    return replace(sample, evidence=replace(sample.evidence, recording=found))


def test_a_percentile_is_the_same_number_everywhere() -> None:
    """An objective of one endpoint shows what the tables, JSON and CSV list of it."""
    parts = [make_slice(t, {3.007: 1, 5.483: 99}) for t in range(60)]
    found = make_recording(parts)
    (item,) = totals.endpoint_totals(found)
    objective = next(one for one in objectives() if one.name == "latency_p95")
    sample = client_sample(
        replace(objective, endpoint=None),
        objective.limits["silver"],
        spec=spec(),
        client=ClientSide(found),
        instances=lambda: Fraction(1),
    )
    assert isinstance(sample, Share)
    low, high = sample.display.low, sample.display.high
    assert low is not None
    assert high is not None
    assert item.quantiles[1] / 1e9 == pytest.approx((low + high) / 2, rel=1e-12)
    assert item.quantiles[1] <= item.max_ns


@settings(deadline=None, max_examples=15)
@given(recordings())
def test_the_endpoints_add_up_and_their_percentiles_are_in_order(found: Recording) -> None:
    """Rows add up to all requests, the totals name the same number, and p50 <= p95 <= p99 <= max."""
    shown = of(found)
    whole, *rows = tables.endpoints(shown)
    total = totals.window_totals(found)
    for column in (0, 2, 9):
        assert sum(row.cells[column].key for row in rows) == whole.cells[column].key
    assert (
        dict(view.facts(shown))["requests in the window"] == f"{total.sent:,}, {total.sent / WINDOW:,.1f}/s"
    )
    for row in (whole, *rows):
        p50, p95, p99, most = (cell.key for cell in row.cells[5:9])
        assert p50 <= p95 <= p99 <= most
    groups = tables.errors(found)
    assert sum(group.count for group in groups) == total.failed + total.unexpected
    assert all(group.count <= group.whole for group in groups)
    for item in (total, *totals.endpoint_totals(found)):
        assert sum(item.statuses.values()) <= item.sent


@settings(deadline=None, max_examples=15)
@given(recordings())
def test_charts_count_the_same_requests_as_the_tables(found: Recording) -> None:
    """The columns over the window add up to the totals, and no percentile exceeds the largest latency."""
    time, total = timeline(found), totals.window_totals(found)
    inside = slice(WARMUP, WARMUP + WINDOW)
    assert time.counts["sent"][inside].sum() == total.sent
    assert time.counts["failed"][inside].sum() == total.failed
    assert {s: c[inside].sum() for s, c in time.statuses.items() if c[inside].any()} == {
        status: count for status, count in total.statuses.items() if count
    }
    columns = np.array(list(time.quantiles.values()))
    known = columns[:, ~np.isnan(columns[0])]
    assert (np.diff(known, axis=0) >= 0).all()
    if total.ok:
        assert np.nanmax(columns[:, inside]) <= total.max_ns
        histogram = distributions.window_histogram(found)
        points = distributions.marked_percentiles(histogram, total.max_ns)
        assert all(low <= high for (_, low), (_, high) in pairwise(points))
        assert all(ns <= total.max_ns for _, ns in points)


@settings(deadline=None, max_examples=15)
@given(recordings())
def test_the_parts_of_a_breach_add_up(found: Recording) -> None:
    """By endpoint, by second and by status they are the same bad requests."""
    for objective in (replace(item, endpoint=None) for item in objectives()):
        for limit in objective.limits.values():
            parts = breakdown(objective, limit, found, FailureRule())
            if parts is None:
                continue
            assert sum(part.bad for part in parts.endpoints) == parts.bad == sum(parts.by_second)
            assert sum(count for _, count in parts.kinds) in {parts.bad, 0}
            assert parts.stretch.bad <= parts.bad <= parts.total
            assert all(part.bad <= part.total for part in parts.endpoints)


@pytest.mark.parametrize(("rows", "endpoints"), [(3, 5), (200, 5)])
def test_endpoints_beyond_the_bound_are_one_row(
    monkeypatch: pytest.MonkeyPatch, rows: int, endpoints: int
) -> None:
    """The busiest have a row each, the others one together, so that nothing is missing from the sum."""
    monkeypatch.setattr(tables, "MAX_ENDPOINTS", rows)
    items = tuple(
        EndpointRecording.of(Endpoint("GET", f"/{n}"), (make_slice(WARMUP, {5: n + 1}),))
        for n in range(endpoints)
    )
    found = tables.endpoints(of(Recording(THRESHOLDS, items, (), WARMUP, WINDOW)))
    assert sum(row.cells[0].key for row in found[1:]) == found[0].cells[0].key == 15
    assert (found[-1].name == "2 further endpoints") is (rows < endpoints)


def test_the_instances_are_counted_in_the_window_that_was_graded() -> None:
    """A page whose lag is unknown is graded from one scrape later on, and its instances are counted alike."""
    found = report()
    server = found.evidence.server
    assert server is not None
    evidence = replace(found.evidence, server=replace(server, preset=replace(server.preset, name="custom")))
    later = replace(found, evidence=evidence, assessment=assess(found.spec, evidence))
    bad = []
    for each in (found, later):
        why = reasons(each, clock_of("2026-01-02T14:02:40Z"))[0]
        (table,) = (one for one in why.tables if one.title.startswith("By instance"))
        bad.append(table.rows[0][1])
    assert bad == ["155", "154"]
