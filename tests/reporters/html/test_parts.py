"""Parts of the HTML report: stacking, excerpts, bounds on what is listed."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from slocheck.documents.position import Position
from slocheck.evidence.recording import FailureClass
from slocheck.reporters import totals
from slocheck.reporters.html import ruler, tables, view
from slocheck.reporters.html.charts import over_time, svg
from slocheck.reporters.html.charts.clock import Clock
from slocheck.reporters.html.charts.over_time import Axes
from slocheck.reporters.html.charts.timeline import timeline
from slocheck.reporters.text import bytes_text, latency_text
from tests.builders.recordings import make_recording, make_slice
from tests.builders.reports import report
from tests.builders.traffic import recording


def heights(chart: str, css: str) -> set[float]:
    """Return all heights that the area of one class touches."""
    (data,) = re.findall(rf'<path d="([^"]*)" class="{css}" fill="#', chart)
    return {float(y) for y in re.findall(r",([\d.]+)", data)}


def test_statuses_are_stacked() -> None:
    """The second status begins where the first one ends, and each that is not 2xx has a row of marks."""
    found = over_time.status_chart(Axes(timeline(recording()), Clock(None), 5))
    assert found is not None
    chart = str(found.drawing)
    lower, upper = heights(chart, "s-none"), heights(chart, "s50")
    assert min(lower) in upper
    assert min(upper) < min(lower)
    assert chart.count('class="failed-mark"') == 2
    assert [key.text for key in found.keys] == ["no response (4)", "503 (12)", "200 (4,680)"]


def test_an_objective_is_quoted_from_its_key_to_its_last_limit() -> None:
    """With line numbers, and no more than fits."""
    plain = report()
    objective = plain.spec.objectives[0]
    assert [number for number, _ in view.spec_lines(plain, objective)] == [7]
    last = replace(objective.limits["gold"], position=Position(9, 1))
    longer = replace(objective, limits={**objective.limits, "gold": last})
    quoted = view.spec_lines(plain, longer)
    assert [number for number, _ in quoted] == [7, 8, 9]
    assert quoted[1][1] == plain.spec.text.splitlines()[7]
    far = replace(last, position=Position(4000, 1))
    long_text = replace(plain, spec=replace(plain.spec, text="x\n" * 5000))
    assert len(view.spec_lines(long_text, replace(longer, limits={"gold": far}))) == view.MAX_SPEC_LINES


def test_each_class_of_errors_shows_its_most_frequent_messages() -> None:
    """Five of twenty, the commonest first."""
    base = recording()
    many = tuple(replace(base.errors[0], count=number, message=f"error {number}") for number in range(20))
    (group, timeouts) = tables.errors(replace(base, errors=(*many, base.errors[1])))
    assert [item.message for item in group.examples] == [f"error {number}" for number in (19, 18, 17, 16, 15)]
    assert (group.failure, group.count) == ("status", 12)
    assert (timeouts.failure, timeouts.count) == ("timeout", 4)
    assert group.shown.startswith("5 of 21 messages shown")
    assert timeouts.shown == "no message was recorded"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_130_000, "2.13 MB"), (5 * 10**9, "5.0 GB")],
)
def test_bytes_text(count: int, text: str) -> None:
    """Decimal prefixes."""
    assert bytes_text(count) == text


def test_labels_are_moved_apart_within_the_chart() -> None:
    """Their order stays, none leaves the chart."""
    moved = svg.spread([100.0, 101.0, 20.0, 250.0, 251.0], gap=13, low=34, high=252)
    assert moved[2] < moved[0] < moved[1] < moved[3] < moved[4]
    ordered = sorted(moved)
    assert all(right - left >= 13 for left, right in pairwise(ordered))
    assert ordered[0] >= 34
    assert ordered[-1] <= 252


def test_attributes_and_children_are_escaped() -> None:
    """Nothing given to an element can end it."""
    built = svg.element("text", "<b>&\x1b[2J", id='"><script>')
    assert built == '<text id="&#34;&gt;&lt;script&gt;">&lt;b&gt;&amp;</text>'


def test_the_slowest_requests_are_those_of_the_window() -> None:
    """Slowest first, each with its status and outcome; the first success is the largest latency."""
    found = recording()
    rows = tables.slowest(found)
    assert len(rows) == tables.MAX_SLOWEST
    assert rows[0].latency == latency_text(totals.window_totals(found).max_ns)
    assert {(row.status, row.result) for row in rows} == {("200", "success")}
    first = found.slowest[0]
    late = replace(first, second=found.window.stop, latency_ns=10**12)
    odd = replace(first, status=0, failure=FailureClass.EXPECTATION, latency_ns=10**11)
    (row, *_) = tables.slowest(replace(found, slowest=(late, odd, *found.slowest)))
    assert (row.latency, row.status, row.result) == ("100s", "unknown", "failed: expectation")


def test_rare_statuses_are_one_band_and_have_a_row_of_marks() -> None:
    """Six statuses have a band of their own; each that is not 2xx has a row of marks, also the rest."""
    statuses = {200: 50, 301: 9, 404: 8, 429: 7, 500: 6, 502: 5, 503: 4, 504: 3}
    part = make_slice(1, {5.0: 50}, statuses=statuses)
    found = over_time.status_chart(Axes(timeline(make_recording([part], window_s=3)), Clock(None), 0))
    assert found is not None
    texts = [key.text for key in found.keys]
    assert texts == [
        "2 other statuses (7)",
        "502 (5)",
        "500 (6)",
        "429 (7)",
        "404 (8)",
        "301 (9)",
        "200 (50)",
    ]
    assert str(found.drawing).count('class="failed-mark"') == 6


@pytest.mark.parametrize(
    ("values", "places"),
    [
        pytest.param([0.005, 0.1, 0.5], "rising", id="far apart: logarithmic"),
        pytest.param([0.0, 0.01, 1.0], "rising", id="far apart, with 0 at the end"),
        pytest.param([0.1, 0.2, 0.3], "rising", id="near each other"),
        pytest.param([-5.0, 0.0, 80.0], "rising", id="a query may be below 0"),
        pytest.param([0.0, 0.0], "same", id="all 0"),
    ],
)
def test_the_ruler_has_room_for_every_value(values: list[float], places: str) -> None:
    """In order, apart from each other, and on the axis; mirrored in the other direction."""
    place = ruler._spaced(values, ruler.LEFT, ruler.RIGHT)
    found = [place(value) for value in values]
    assert all(ruler.LEFT <= at <= ruler.RIGHT for at in found)
    if places == "rising":
        assert all(right - left > 30 for left, right in pairwise(found))
    mirrored = ruler._spaced(values, ruler.RIGHT, ruler.LEFT)
    assert [mirrored(value) for value in values] == pytest.approx(
        [ruler.LEFT + ruler.RIGHT - at for at in found]
    )
