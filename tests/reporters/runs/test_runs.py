"""Lists, histories and comparisons of runs: true, whole, and safe wherever they are shown."""

import csv
import html
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.cells import cell_len

from slocheck.comparison.compare import compare
from slocheck.comparison.history import History, histories
from slocheck.comparison.model import ObjectiveRecord, RunRecord
from slocheck.comparison.spectrum import spectrum
from slocheck.reporters.runs.lines import comparison_lines, history_lines, run_rows, sparkline
from slocheck.reporters.runs.machine import (
    COLUMNS,
    bencher_json,
    commits_csv,
    comparison_json,
    history_json,
    list_json,
)
from slocheck.reporters.runs.side_by_side import comparison_page
from slocheck.reporters.runs.trend import history_page
from tests.builders.recordings import make_recording
from tests.builders.records import CONDITIONS, latency, rate, record, runs, share
from tests.builders.reports import HOSTILE, report

STEADY = (0.1, 0.101, 0.099, 0.1, 0.102)
OUTLIER = [*runs(*STEADY), record(6, latency(0.2), outcome="fail", tier=None, dirty=True)]


def history(records: Sequence[RunRecord] = OUTLIER) -> History:
    """Return the history of the only service."""
    (found,) = histories(records, 20)
    return found


def test_a_row_a_run_and_what_stands_out_below_it() -> None:
    """The newest last; a sparkline for the objective."""
    lines = list(history_lines(history(), 80))
    assert lines[0] == "shop-api: 6 runs, oldest first"
    assert lines[2].split() == ["run", "verdict", "tier", "commit", "service", "load"]
    assert lines[8] == "20260102T030605Z-abcdef  FAIL     none    0000000*  shop-api  200/s"
    assert lines[9] == "      ! latency_p95 200ms, worse than expected: 94.8ms to 106ms"
    assert lines[11:] == ["  ▁▁▁▁▁█  latency_p95 of GET /items: 99ms to 200ms, now 200ms"]


def test_an_invalid_run_is_marked_and_its_value_counts_nowhere() -> None:
    """Not in the range, the bars, the newest value or the table; a single value is shown once."""
    bad = record(7, latency(9.0), valid=False, outcome="invalid")
    lines = list(history_lines(history([*OUTLIER, bad]), 100))
    assert lines[0] == "shop-api: 7 runs, oldest first; 1 invalid one (x), whose values do not count"
    assert lines[-1] == "  ▁▁▁▁▁█x  latency_p95 of GET /items: 99ms to 200ms, last 200ms"
    (row,) = csv.DictReader(io.StringIO(commits_csv([history([bad])])))
    assert (row["value"], row["objective_verdict"], row["verdict"], row["valid"]) == (
        "",
        "",
        "invalid",
        "false",
    )
    assert "9s" not in history_page([history([*OUTLIER, bad])])
    lines = list(history_lines(history(runs(0.1)), 80))
    assert (lines[0], lines[-1]) == ("shop-api: 1 run, oldest first", "  ▄  latency_p95 of GET /items: 100ms")
    assert "<p>1 run, the newest" in history_page([history(runs(0.1))])


def test_another_machine_is_said_beside_what_stands_out() -> None:
    """It may be all that changed; a run that does not stand out needs no explanation."""
    elsewhere = [*runs(*STEADY), record(6, latency(0.2), host="other"), record(7, latency(0.1), host="third")]
    lines = " ".join(history_lines(history(elsewhere), 200))
    assert lines.count("another machine") == 1
    assert "the load came from another machine (other), which may be all that has changed" in lines
    assert "another machine (other)" in history_page([history(elsewhere)])


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([1.0, 2.0, 3.0], "▁▅█"),
        ([2.0, 2.0], "▄▄"),
        ([None, 1.0, None, 8.0], " ▁ █"),
        ([None, None], "  "),
        ([], ""),
        ([-1.0, 1.0], "▁█"),
    ],
)
def test_sparklines(values: list[float | None], drawn: str) -> None:
    """One bar a run: a run without a value is a gap, not a zero."""
    assert sparkline(values) == drawn


def test_runs_without_a_record_stand_in_their_place() -> None:
    """In the order in which they began, with the reason."""
    rows = list(run_rows(runs(0.1, 0.1), {"20260102T030030Z-000000": "this run was killed"}, 80))
    assert [row[:15] for row in rows[1:]] == ["20260102T030005", "20260102T030030", "20260102T030105"]
    assert rows[2].endswith("this run was killed")
    assert list(run_rows([], {}, 80)) == []


LONG = "team-orders-checkout-service-production"


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (200, f"20260102T030005Z-abcdef  UNDECIDED  bronze  0123456*  {LONG}  1,000/s"),
        (80, "20260102T030005Z-abcdef  UNDECIDED  bronze  0123456*  team-ord…oduction  1,000/s"),
        (40, "20260102T030005Z-abcdef  UNDECIDED  bronze  0123456*  team…ion  1,000/s"),
    ],
)
def test_a_run_takes_one_line_however_long_its_names_are(width: int, row: str) -> None:
    """The middle of the service's name is cut, not its beginning or its end."""
    conditions = replace(CONDITIONS, service=LONG, workload="1,000/s")
    named = record(
        0, conditions=conditions, outcome="undecided", commit="0123456789", dirty=True, tier="bronze"
    )
    head, *rows = run_rows([named], {}, width)
    assert head.split() == ["run", "verdict", "tier", "commit", "service", "load"]
    assert rows == [row]
    wide = record(0, conditions=replace(conditions, service="注文" * 20, workload="5/s"), tier="bronze")
    assert all(cell_len(line) <= max(width, 80) for line in run_rows([wide], {}, width))


def test_a_comparison_in_lines() -> None:
    """What is compared, how the runs differ, a paragraph per objective, and what is proven."""
    new = record(6, latency(0.2), conditions=replace(CONDITIONS, spec_sha256="9"))
    lines = list(comparison_lines(compare([new], runs(*STEADY)), 200))
    assert lines == [
        f"{new.run_id} against 5 earlier runs, prediction interval, 99% confidence",
        "  ! a different slo.yaml",
        "",
        "  latency_p95 of GET /items 100ms -> 200ms (+99.2%, +88.1% to +110.9%): worse ▁▁▁▁▁█",
        "",
        "WORSE by more than 10%: latency_p95 of GET /items",
    ]
    nothing = compare([record(6, objectives=())], runs(0.1))
    assert list(comparison_lines(nothing, 80))[-1] == "  no objective to compare"


def test_machines_get_the_same_numbers() -> None:
    """JSON of a list, a history and a comparison; the points are in the order of the runs."""
    listed = json.loads(list_json(OUTLIER, {"x": "killed"}))
    assert [run["verdict"] for run in listed["runs"]] == ["pass"] * 5 + ["fail"]
    assert listed["unread"] == [{"id": "x", "reason": "killed"}]
    (service,) = json.loads(history_json([history()]))["services"]
    (objective,) = service["objectives"]
    assert [point["value"] for point in objective["points"]] == pytest.approx([*STEADY, 0.2])
    assert [point["expected"] is None for point in objective["points"]] == [True] * 5 + [False]
    assert objective["points"][-1]["expected"]["worse"] is True
    compared = json.loads(comparison_json(compare(OUTLIER[-1:], OUTLIER[:-1])))
    assert (compared["regressed"], len(compared["old"]), len(compared["new"])) == (True, 5, 1)
    assert compared["changes"][0]["trend"] == "worse"


def test_bencher_gets_latencies_in_nanoseconds() -> None:
    """One benchmark per objective; what has no value is left out rather than 0."""
    run = record(1, latency(0.1), share(0.02), rate(5.0), replace(latency(0.1, name="none"), observed=None))
    found = json.loads(bencher_json(run))
    assert list(found) == ["latency_p95 GET /items", "error_rate", "rps_per_instance"]
    measured = found["latency_p95 GET /items"]["latency"]
    assert measured["value"] == pytest.approx(1e8)
    assert measured["lower_value"] < measured["value"] < measured["upper_value"]
    assert found["error_rate"] == {"error_rate": {"value": 0.02}}


def test_the_table_of_commits_has_a_row_for_each_run_and_objective() -> None:
    """Numbers are unrounded; a run without a value has an empty cell."""
    several = [*OUTLIER, record(7, rate(4.0))]
    rows = list(csv.DictReader(io.StringIO(commits_csv([history(several)]))))
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == 7 * 2
    slow = next(row for row in rows if row["run"] == OUTLIER[-1].run_id and row["objective"] == "latency_p95")
    assert (slow["value"], slow["outside"], slow["dirty"], slow["verdict"]) == ("0.2", "true", "true", "fail")
    assert slow["commit"] == OUTLIER[-1].commit
    assert next(row for row in rows if row["objective"] == "rps_per_instance")["value"] == ""


def strange(text: str) -> list[RunRecord]:
    """Return runs in which everything that comes from a file is `text`."""
    objective = replace(latency(0.1), name=text, endpoint=text, limits={text: text}, verdict=text)
    conditions = replace(CONDITIONS, service=text, target=text, host=text, workload=text)
    return [
        record(number, objective, conditions=conditions, commit=text, tier=text, outcome=text, started=text)
        for number in range(6)
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_not_obeyed_anywhere(text: str) -> None:
    """Not by a terminal, a CI runner, a browser or a spreadsheet."""
    records = strange(text)
    compared = compare(records[-1:], records[:-1])
    lines = [
        *history_lines(history(records), 80),
        *run_rows(records, {text: text}, 80),
        *comparison_lines(compared, 80),
    ]
    for line in lines:
        assert "\x1b" not in line
        assert "\n" not in line
        assert not line.lstrip().startswith("::")
    for page in (history_page([history(records)]), comparison_page(compared, [(text, ((0.5, 0.1),))] * 2)):
        assert not re.search(r"<(script|img|a)\b", page)
        assert "\x1b" not in page
        assert text not in page or text == html.escape(text)
        ET.fromstring(page.removeprefix("<!doctype html>\n"))
    for row in csv.reader(io.StringIO(commits_csv([history(records)]))):
        assert not any(cell.startswith(("=", "+", "@")) for cell in row)
    for document in (
        history_json([history(records)]),
        list_json(records, {text: text}),
        bencher_json(records[0]),
    ):
        assert json.loads(document)


def _policy(page: str) -> str:
    """Return the element with a page's content security policy."""
    (found,) = re.findall(r'<meta http-equiv="Content-Security-Policy"[^>]*>', page)
    return str(found)


def test_pages_need_nothing_from_elsewhere() -> None:
    """No script, no request, no inline style except the one that the policy names."""
    page = history_page([history()])
    assert "default-src 'none'; style-src 'sha256-" in _policy(page)
    assert "<script" not in page
    assert " style=" not in page
    assert "http://" not in page.replace("http-equiv", "")
    assert page.count('<rect class="worse"') == 1
    assert page.count("<circle") == 5
    better = history_page([history([*runs(*STEADY), record(6, latency(0.05))])])
    assert better.count('<rect class="better"') == 1
    assert "No run has a result yet" in history_page([])
    assert "No value." in history_page([history([record(0, replace(latency(0.1), observed=None))])])


def test_spectra_are_laid_over_each_other() -> None:
    """Both runs' percentiles on one pair of axes, and as numbers; none if a run has none."""
    found = spectrum(report().evidence.recording)
    assert [quantile for quantile, _ in found][:4] == [0.5, 0.75, 0.9, 0.95]
    assert [value for _, value in found] == sorted(value for _, value in found)
    assert max(quantile for quantile, _ in found) == 0.995  # of 4,162 requests
    assert spectrum(make_recording(())) == ()
    page = comparison_page(compare(OUTLIER[-1:], OUTLIER[:-1]), [("before", found), ("now", found)])
    assert page.count("<polyline") == 2
    ends = [float(y) for y in re.findall(r' y="([\d.]+)" text-anchor="start">(?:before|now)<', page)]
    assert abs(ends[0] - ends[1]) >= 16  # equal runs end at the same place, their labels do not
    assert re.findall(">(p[0-9.]+)</text>", page) == ["p50", "p90", "p99"]  # as far as there are values
    assert "WORSE" not in page
    assert "Worse than in 5 earlier runs" in page
    assert "<polyline" not in comparison_page(compare(OUTLIER[-1:], OUTLIER[:-1]), [])
    uneven = comparison_page(compare(OUTLIER[-1:], OUTLIER[:-1]), [("before", found[:1]), ("now", found)])
    assert uneven.count("too few requests") == len(found) - 1


def test_limits_that_differ_are_shown_on_both_sides() -> None:
    """The value can be compared, but its limit has changed."""
    stricter = replace(latency(0.1), limits={"silver": "< 150ms"})
    page = comparison_page(compare([record(6, stricter)], runs(0.1)), [])
    assert "silver &lt; 150ms (before: silver &lt; 200ms)" in page


@pytest.mark.parametrize("objective", [latency(0.1), share(0.0), rate(5.0)])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_fit(objective: ObjectiveRecord, width: int) -> None:
    """A table row may be longer than a narrow terminal; sentences are wrapped."""
    records = [record(number, replace(objective, endpoint="GET /a/rather/long/path")) for number in range(6)]
    lines = [*comparison_lines(compare(records[-1:], records[:-1]), width)]
    assert max(map(cell_len, lines)) <= width
