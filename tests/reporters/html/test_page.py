"""The HTML report as a document: well-formed, self-contained, under its own policy, small, and complete."""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from slocheck.comparison.compare import compare
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS, RUN_FILES
from slocheck.spec.model import Endpoint
from tests.builders.records import runs
from tests.builders.reports import HOSTILE, hostile_report, of_recording, report
from tests.builders.traffic import make_traffic, recorded, recording
from tests.support.html_page import Page, read

ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        """html head meta title style body main header nav article section h1 h2 h3 p span small b dl div dt
        dd ul li a pre table caption thead tbody tr th td details summary figure figcaption strong script
        svg desc path rect line text""",
    )
)


FILES = {form.file_name for name, form in RUN_FILES.items() if name != "html"}
"""Files next to the report, which it links to."""


def render(found: Report) -> str:
    """Render the HTML report."""
    return FORMATS["html"].render(found)


@pytest.fixture(scope="module")
def document() -> str:
    """The plain run's report."""
    return render(report())


@pytest.fixture(scope="module")
def page(document: str) -> Page:
    """The plain run's report, parsed."""
    return read(document)


def test_the_document_is_well_formed(page: Page) -> None:
    """Every element ends where it should, ids are unique, links lead to them."""
    assert page.problems == []
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in page.attributes("href")} <= {*ids, *FILES}
    named = {name for value in page.attributes("aria-labelledby") for name in value.split()}
    assert named <= set(ids)


def test_nothing_is_fetched_and_nothing_is_inline(page: Page) -> None:
    """No address, no source, no handler, no style attribute: a strict policy has nothing to forbid."""
    names = {name for _, attrs in page.tags for name in attrs}
    assert not {name for name in names if name.startswith("on") or name in {"src", "style", "srcset"}}
    assert all(href.startswith("#") or href in FILES for href in page.attributes("href"))
    assert "url(" not in page.text("style")
    assert "@import" not in page.text("style")
    assert set(page.attributes("xmlns")) == {"http://www.w3.org/2000/svg"}


def test_the_policy_allows_the_one_style_and_the_one_script(page: Page) -> None:
    """The hashes are those of the very texts in the page; nothing else is allowed."""
    (policy,) = (attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    assert rules["default-src"] == "'none'"
    script = page.texts["script"][-1]
    for rule, text in (("style-src", page.text("style")), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_element(text: str) -> None:
    """Names, messages, limits and queries from elsewhere stay text; templates in them are not run."""
    document = render(hostile_report(text))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", document)
    hostile = read(document)
    assert hostile.problems == []
    assert {tag for tag, _ in hostile.tags} <= ELEMENTS
    scripts = [attrs for tag, attrs in hostile.tags if tag == "script"]
    assert len(scripts) == 2
    json.loads(hostile.texts["script"][0])
    names = {name for _, attrs in hostile.tags for name in attrs}
    assert not {name for name in names if name.startswith("on")}
    if "7*7" in text:
        assert "{{ 7*7 }}" in hostile.text("h3") + hostile.text("td") + hostile.text("p")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_verdict_stands_in_words_and_as_a_glyph(outcome: Outcome) -> None:
    """Neither needs colour to be understood."""
    found = read(render(report(outcome=outcome)))
    assert outcome.name in found.text("h1")
    assert outcome.name in found.text("title")


def test_the_sections_are_in_order(page: Page) -> None:
    """The decision first, the reasons next, the data last; the bar links to each."""
    names = (
        *("verdict", "objectives", "latency", "why", "endpoints", "errors", "slowest", "charts", "load"),
        *("statuses", "cache", "spectrum", "heatmap", "cpu", "memory", "validity", "statistics", "next"),
        "provenance",
    )
    places = [page.attributes("id").index(name) for name in names]
    assert places == sorted(places)
    linked = {href.removeprefix("#") for href in page.attributes("href")}
    assert {"objectives", "why", "endpoints", "errors", "charts", "validity", "provenance"} <= linked


def drawing(document: str, name: str) -> str:
    """Return a chart of the document, the drawings inside it included."""
    rest = document[document.index(f'<svg id="{name}"') :]
    depth = 0
    for tag in re.finditer(r"<svg|</svg>", rest):
        depth += 1 if tag[0] == "<svg" else -1
        if not depth:
            return rest[: tag.end()]
    raise AssertionError(f"{name} does not end")


CHARTS = (
    *("ruler-0", "ruler-1", "latency", "bad-0", "bad-1", "load", "statuses"),
    *("cache", "spectrum", "heatmap", "cpu", "memory"),
)


@pytest.mark.parametrize("name", CHARTS)
def test_each_chart_tells_what_it_shows_and_needs_no_css(document: str, name: str) -> None:
    """It is well-formed XML with a title and a description, and every shape has its own colour."""
    space = "{http://www.w3.org/2000/svg}"
    svg = ET.fromstring(drawing(document, name))
    assert svg.findtext(f"{space}title")
    assert svg.findtext(f"{space}desc")
    for shape in svg.iter():
        if shape.tag in {f"{space}{tag}" for tag in ("path", "rect", "line", "circle", "text")}:
            assert shape.get("fill") or shape.get("stroke"), ET.tostring(shape)
    numbers = [
        float(n) for path in svg.iter(f"{space}path") for n in re.findall(r"-?[\d.]+", path.get("d", ""))
    ]
    assert all(0 <= number <= 1000 for number in numbers)


def test_every_chart_over_time_has_its_numbers_as_a_table(document: str) -> None:
    """Who cannot see a chart reads its table: one row per second of a short run."""
    for name in ("latency", "load", "statuses", "cache"):
        table = document.split(f'<svg id="{name}"', 1)[1].split("</details>", 1)[0]
        assert table.count("<tr>") == 1 + 45


def test_values_of_both_sides_and_the_reason_for_their_difference_are_shown(page: Page) -> None:
    """Client, server, the interval, the spec's line and the query."""
    assert "230ms" in page.text("dd")
    assert "95% interval 215-245ms" in page.text("span")
    assert "100ms to 250ms" in page.text("td")
    assert "histogram buckets" in page.text("p")
    assert 'latency_p95: {bronze: "< 500ms"' in page.text("pre")
    assert 'http_request_duration_seconds_bucket{job="shop-api"}' in page.text("pre")
    assert "95% CI 6.13-8.21%" in page.text("div")
    assert "gold < 100ms, silver < 200ms" not in page.text("desc")
    assert "Limits: bronze < 500ms, silver < 200ms, gold < 100ms, critical < 500ms." in page.text("desc")
    assert "at this burn rate a 30-day error budget lasts" in page.text("li")


def test_what_a_dashboard_would_show_stands_beside_ours(page: Page) -> None:
    """Its value and its query, or why it would show none; the page says that it is not graded."""
    text = page.text("p")
    assert "A dashboard would show 221ms. It is an estimate by rate(), so it is not graded." in text
    assert "A dashboard would show no value here: HTTP 503 Service Unavailable." in text
    assert "histogram_quantile(0.95, sum by (le)" in page.text("pre")


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(Recording((), (), (), 0, 0), id="nothing recorded"),
        pytest.param(Recording((), (), (), 5, 0), id="interrupted in the warm-up"),
        pytest.param(recording(window=1, warmup=0, rate=1), id="one second"),
        pytest.param(
            recording(window=1500, rate=1, endpoints=(Endpoint("GET", "/"),)), id="more seconds than pixels"
        ),
    ],
)
def test_odd_recordings_are_reported(found: Recording) -> None:
    """Whatever was recorded gives a report."""
    page = read(render(of_recording(found)))
    assert page.problems == []
    assert any(outcome.name in page.text("h1") for outcome in Outcome)


def test_a_run_of_failures_only_has_a_chart_of_them() -> None:
    """Even without any latency the report shows something."""
    failing = [(second, 0, FailureClass.STATUS) for second in range(12) for _ in range(20)]
    requests = [asked for asked in make_traffic(seconds=12, failing=failing) if asked.failure]
    document = render(of_recording(recorded(requests, warmup=0, window=12)))
    assert 'id="load"' in document
    assert 'id="cache"' not in document
    assert read(document).problems == []


def test_the_first_screen_says_what_changed() -> None:
    """The value before, the difference with its interval, and the runs as a small line; or nothing."""
    compared = replace(report(), comparison=compare(runs(0.25, first=30), runs(0.2, 0.21, 0.19, 0.205, 0.2)))
    page = read(render(compared))
    assert "Since 5 earlier runs: no change is proven; the largest is latency_p95" in page.text("p")
    assert "+24.4% (+3.2% to +50.1%) from 201ms, undecided" in page.text("span")
    assert "latency_p95 of GET /items 201ms -> 250ms (+24.4%, +3.2% to +50.1%): undecided" in page.text("li")
    assert "200ms, 210ms, 190ms, 205ms, 200ms, 250ms; the last one is this run." in page.text("desc")
    assert [name for name in page.attributes("id") if re.fullmatch(r"spark-\d", name)] == ["spark-0"]
    assert "spark-0" not in read(render(report())).attributes("id")
