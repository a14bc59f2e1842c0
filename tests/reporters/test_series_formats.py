"""OpenMetrics, CSV and HdrHistogram's text: read back by their usual readers, and true to the evidence."""

import csv
import io
import shlex
import subprocess
from collections import Counter
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from slocheck.evidence.recording import EndpointRecording, Recording, SliceCounts
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS, RUN_FILES
from slocheck.reporters.csv import COLUMNS
from slocheck.reporters.escape import for_csv
from slocheck.reporters.totals import endpoint_totals, window_totals
from slocheck.spec.model import Endpoint
from tests.builders.reports import HOSTILE, hostile_report, of_recording, report, unbounded

NOTHING = Recording(thresholds_ns=(), endpoints=(), errors=(), warmup_s=5, window_s=40)
REPORTS = [*map(report, Outcome), unbounded(), of_recording(NOTHING), *map(hostile_report, HOSTILE)]
FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def samples(found: Report) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return what a Prometheus reads from a report, by name."""
    read: dict[str, list[tuple[dict[str, str], float]]] = {}
    text = FORMATS["openmetrics"].render(found)
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call] # it has no types
        for sample in family.samples:
            read.setdefault(sample.name, []).append((sample.labels, sample.value))
    return read


@pytest.mark.parametrize("found", REPORTS)
def test_openmetrics_is_read_back(found: Report) -> None:
    """Prometheus' client and its older text format take it, ``# EOF`` and all, and no series comes twice."""
    read = samples(found)
    assert read["slocheck_exit_code"][0][1] == found.assessment.exit_code
    text = FORMATS["openmetrics"].render(found)
    linted = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stderr) == (0, "")
    for name, series in read.items():
        distinct = {tuple(sorted(labels.items())) for labels, _ in series}
        assert len(distinct) == len(series), name


@pytest.mark.parametrize("found", REPORTS)
def test_openmetrics_is_what_gitlab_splits(found: Report) -> None:
    """GitLab cuts each line at ``#`` and splits the rest as a shell does: a name and a value, or nothing."""
    for line in FORMATS["openmetrics"].render(found).splitlines():
        assert len(shlex.split(line.partition("#")[0])) in {0, 2}, line


def test_openmetrics_has_the_run_s_numbers() -> None:
    """Verdict, values, limits, statuses and latencies are those of the report."""
    found = report()
    read = samples(found)
    current = [labels["verdict"] for labels, value in read["slocheck_verdict"] if value]
    assert current == ["fail"]
    assert [(item["tier"], value) for item, value in read["slocheck_tier_met"]] == [
        ("bronze", 1),
        ("silver", 0),
        ("gold", 0),
    ]
    statuses: Counter[str] = Counter()
    for labels, value in read["slocheck_requests"]:
        statuses[labels["status"]] += int(value)
    assert statuses == {"200": 4160, "503": 12, "none": 2}
    (breached,) = [
        labels
        for labels, value in read["slocheck_objective_verdict"]
        if value and labels["objective"] == "latency_p95" and labels["level"] == "silver"
    ]
    assert breached["verdict"] == "breached"
    assert breached["unit"] == "seconds"
    p99 = {
        labels["endpoint"]: value
        for labels, value in read["slocheck_latency_seconds"]
        if "0.99" in labels.values()
    }
    for total in endpoint_totals(found.evidence.recording):
        assert p99[str(total.endpoint)] == total.quantiles[2] / 1e9 <= total.max_ns / 1e9


def test_openmetrics_keeps_endpoints_apart_that_look_alike() -> None:
    """Names that differ only in what is invisible are numbered: a series must not come twice."""
    part = SliceCounts(second=6, ok=1, statuses={200: 1}, latencies={300: 1}, max_ns=400)
    alike = [Endpoint("GET", f"/a{mark}") for mark in ("", "\u200b", "\u202e")]
    recording = replace(NOTHING, endpoints=tuple(EndpointRecording.of(one, (part,)) for one in alike))
    names = [labels["endpoint"] for labels, _ in samples(of_recording(recording))["slocheck_requests"]]
    assert len(set(names)) == 3
    assert names[0] == "GET /a"


def rows(found: Report) -> list[dict[str, str]]:
    """Return the rows of a report as CSV."""
    return list(csv.DictReader(io.StringIO(FORMATS["csv"].render(found)), strict=True))


def test_csv_adds_up_to_the_report() -> None:
    """The rows of the window have its requests, its failures and each status; each second has its time."""
    found = report()
    read, total = rows(found), window_totals(found.evidence.recording)
    window = [row for row in read if row["phase"] == "window"]
    assert sum(int(row["requests"]) for row in window) == total.sent
    assert sum(int(row["failed"]) for row in window) == total.failed
    counted = {0: "no_response", 200: "status_200", 503: "status_503"}
    assert {code: sum(int(row[name]) for row in window) for code, name in counted.items()} == total.statuses
    assert list(read[0])[: len(COLUMNS)] == list(COLUMNS)
    assert (read[0]["time"], read[0]["second"], read[0]["phase"]) == ("2026-01-02T03:04:05Z", "0", "warm-up")
    assert all(float(row["p99_s"]) <= float(row["max_s"]) for row in read if row["max_s"])


def test_csv_names_what_is_before_the_load_and_after_the_window() -> None:
    """Requests of an `on_start` have no time; those of the drain are not the window's."""
    parts = tuple(SliceCounts(second=second, ok=0, statuses={}) for second in (-1, 4, 5, 44, 45))
    recording = replace(NOTHING, endpoints=(EndpointRecording.of(Endpoint("GET", "/"), parts),))
    found = [(row["time"][-3:], row["phase"]) for row in rows(of_recording(recording))]
    assert found == [
        ("", "before"),
        ("09Z", "warm-up"),
        ("10Z", "window"),
        ("49Z", "window"),
        ("50Z", "drain"),
    ]


@pytest.mark.parametrize("text", [*HOSTILE, *(f"{sign}1+1" for sign in FORMULA), " =1", "a;=1", ";@SUM(1)"])
def test_csv_has_no_formula(text: str) -> None:
    """No cell begins like a formula, in a spreadsheet that separates by commas or by semicolons."""
    assert not any(part.lstrip().startswith(FORMULA) for part in for_csv(text).split(";"))
    for row in rows(hostile_report(text)):
        assert not row["endpoint"].startswith(FORMULA)
        assert None not in row


def test_hgrm_is_a_percentile_distribution() -> None:
    """Values and counts rise, the median lies in the report's bucket, the foot has largest and total."""
    found = report()
    total = window_totals(found.evidence.recording)
    head, blank, *lines = FORMATS["hgrm"].render(found).splitlines()
    assert (head.split(), blank) == (["Value", "Percentile", "TotalCount", "1/(1-Percentile)"], "")
    table = [[float(cell) for cell in line.split()] for line in lines if not line.startswith("#")]
    for column in range(3):
        values = [row[column] for row in table]
        assert values == sorted(values)
    (median,) = [row[0] for row in table if row[1] == 0.5]
    assert median == pytest.approx(total.quantiles[0] / 1e6, rel=0.003)
    assert table[-1] == [pytest.approx(total.max_ns / 1e6, abs=0.001), 1, total.ok]
    assert [line.partition("[")[2].split()[0] for line in lines[-3:]] == ["Mean", "Max", "Buckets"]
    assert lines[-2].endswith(f"{total.ok:12d}]")


@pytest.mark.parametrize("name", ["csv", "hgrm", "openmetrics"])
def test_a_run_without_a_request_has_a_report_too(name: str) -> None:
    """A head and a foot, and no number that was not measured."""
    text = FORMATS[name].render(of_recording(NOTHING))
    assert "nan" not in text.lower()
    assert text.endswith("\n")


def test_what_may_be_large_is_written_on_demand() -> None:
    """A day of 50 endpoints has millions of rows: a run does not write them into its folder by default."""
    assert [*RUN_FILES] == ["html", "json", "junit", "markdown", "openmetrics"]


def test_the_page_links_only_to_what_is_beside_it() -> None:
    """A report that is written on demand is not linked, as it may not exist."""
    page = FORMATS["html"].render(report())
    linked = {item.file_name for item in FORMATS.values() if f'href="{item.file_name}"' in page}
    assert linked == {item.file_name for name, item in RUN_FILES.items() if name != "html"}
