"""The last lines of a run: order, honesty, and foreign text that stays on its line."""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from slocheck.grading.assessment import Finding, Outcome
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from slocheck.reporters.decision import decision_text
from slocheck.reporters.html.charts.clock import clock_of
from slocheck.reporters.html.rows import rows
from slocheck.reporters.html.view import verdict
from slocheck.reporters.html.why import reasons
from slocheck.reporters.terminal.summary import render_summary
from slocheck.spec.model import Endpoint
from tests.builders.reports import HOSTILE, hostile_report, report, target_lost, unbounded


def lines(
    found: Report, *, width: int = 80, paths: Mapping[str, str] | None = None, verbose: bool = False
) -> list[str]:
    """Return what is printed without a terminal."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=False, width=width)
    render_summary(found, console, paths or {}, verbose=verbose)
    return out.getvalue().splitlines()


def words(printed: Iterable[str]) -> str:
    """Return the words of some lines, separated by spaces."""
    return " ".join(" ".join(printed).split())


@pytest.mark.parametrize(("outcome", "shown"), [(Outcome.FAIL, "✗✓"), (Outcome.UNDECIDED, "?✓")])
def test_the_worst_comes_first(outcome: Outcome, shown: str) -> None:
    """After the headline breached objectives, then undecided ones, then those that are met."""
    glyphs = [line[2] for line in lines(report(outcome=outcome)) if line[2:3] and line[2] in "✗?✓"]
    assert glyphs == sorted(glyphs, key="✗?✓".index)
    assert set(glyphs) >= set(shown)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("verbose", [False, True])
def test_lines_fit_and_are_broken_between_words(outcome: Outcome, *, verbose: bool) -> None:
    """The words are the same at 80 and at 200 columns; the verdict comes first and last."""
    found = report(outcome=outcome)
    narrow, wide = (lines(found, width=width, verbose=verbose) for width in (80, 200))
    assert max(map(len, narrow)) <= 80
    assert max(map(len, wide)) <= 100
    assert words(narrow) == words(wide)
    assert narrow[0].startswith(f"{outcome.value.upper()}  ")
    assert words(narrow).count(f"{outcome.value.upper()} ") == 2


def test_a_path_has_a_line_of_its_own_and_is_never_broken() -> None:
    """A double click copies it; the other formats' paths are printed with -v."""
    path = f"reports/{'long-' * 30}/report.html"
    paths = {"html": path, "json": "reports/a b/result.json"}
    assert [line for line in lines(report(), paths=paths) if "reports/" in line] == [f"  report  {path}"]
    shown = [line for line in lines(report(), paths=paths, verbose=True) if "reports/" in line]
    assert shown == [f"  report  {path}", "  json  reports/a b/result.json"]


def test_long_names_and_endpoints_stand_on_lines_of_their_own() -> None:
    """No column is as wide as the longest of them."""
    found = report()
    endpoint = Endpoint("GET", f"/{'a' * 150}/end")
    first, *others = found.assessment.objectives
    long = replace(first, objective=replace(first.objective, name="n" * 60, endpoint=endpoint))
    printed = lines(replace(found, assessment=replace(found.assessment, objectives=(long, *others))))
    at = printed.index(f"  ✗ {'n' * 60}")
    assert printed[at + 1].split() == ["230ms", "silver", "<", "200ms", "+30ms"]
    assert printed[at + 2].startswith("      GET /aaa")
    assert printed[at + 2].endswith("…")
    assert max(map(len, printed)) <= 80


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_neither_moves_the_cursor_nor_commands_the_runner(text: str) -> None:
    """Every line is printable, begins with a word of ours, and shows markup as text."""
    printed = lines(hostile_report(text))
    assert all(line.isprintable() for line in printed)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in printed)
    if text.startswith("[bold red]"):
        assert any("[bold red]x[/bold red]" in line for line in printed)


def test_a_broken_critical_level_is_named_too() -> None:
    """The line shows the tier's limit; critical comes after it."""
    assert "silver < 200ms critical < 500ms too" in words(lines(unbounded()))


def test_what_the_next_tier_lacks_is_said_when_the_gate_is_met() -> None:
    """The last lines say what the next tier needs."""
    printed = "\n".join(lines(report(outcome=Outcome.PASS)))
    assert "silver needs: a better latency_p95 and error_rate" in printed


def test_failures_count_as_slow_and_the_objective_that_counts_them_decides() -> None:
    """No report says that failed requests were slow, and all give the number of failures."""
    found = unbounded()
    printed = words(lines(found, verbose=True))
    assert re.search(r"latency_p95 unbounded .* requests failed or took >= 200ms, 5% allowed", printed)
    assert re.search(r"CI [\d.-]+% of requests failed or took >= 200ms", printed)
    assert " requests >= 200ms" not in printed
    assert "server agrees" not in printed  # nothing agrees with a value that has no bounds
    decided = decision_text(found)
    named = decided.partition(": ")[2].partition(" ")[0]
    assert named in ("error_rate", "availability")
    assert "unbounded" not in decided
    assert found.assessment.headline.startswith(f"{named} is breached")
    assert not [side for row in rows(found, needed=True) for side in row.sides if "unb" in side.interval]


def test_the_last_line_of_an_invalid_run_is_a_whole_fault() -> None:
    """It ends before the advice begins, not at a colon or within a number."""
    found = report(outcome=Outcome.INVALID)
    message = "GET /nope: 50 of 50 responses were 404; fix the path, or write `expect: {status: 404}`"
    fault = Finding("unexpected-responses", valid=False, message=message)
    named = replace(found, assessment=replace(found.assessment, findings=(fault,)))
    assert decision_text(named) == "no verdict on silver: GET /nope: 50 of 50 responses were 404"


def test_the_last_line_of_an_undecided_run_is_a_whole_reason() -> None:
    """It does not end within brackets, and says once that there is no data."""
    found = report(outcome=Outcome.UNDECIDED)
    why = "server: no data: counted 2 times what was sent: once for each type (a, b); pin one"
    open_ones = tuple(
        replace(
            result,
            levels=tuple(
                replace(level, reason=why) if level is result.shown else level for level in result.levels
            ),
        )
        for result in found.assessment.objectives
    )
    told = replace(found, assessment=replace(found.assessment, objectives=open_ones))
    decided = decision_text(told)
    assert decided.endswith(": counted 2 times what was sent: once for each type (a, b)")
    assert "no data" not in decided


def test_a_run_without_a_verdict_is_called_so_everywhere() -> None:
    """Never "no tier achieved", and objectives do not repeat what makes the run invalid."""
    found = report(outcome=Outcome.INVALID)
    assert verdict(found).tiers == "no verdict, silver required"
    assert "**No verdict**, gate **silver**" in FORMATS["markdown"].render(found)
    page = FORMATS["html"].render(found)
    assert "no tier achieved" not in page
    assert not [row for row in rows(found, needed=True) if row.reason.startswith("the run is invalid")]
    assert not [why for why in reasons(found, clock_of("")) if "run is invalid" in why.reason]


def test_a_tier_keeps_its_case() -> None:
    """It is a key of the spec."""
    assert verdict(report()).decided.startswith("silver is not met: ")


def test_counts_of_more_than_the_window_say_so() -> None:
    """Messages are counted in the warm-up, too."""
    both, inside = (words(lines(found, verbose=True)) for found in (unbounded(), report()))
    assert "failed (whole load) " in both
    assert "(whole load)" not in inside
    texts = [FORMATS["markdown"].render(found) for found in (unbounded(), report())]
    assert ["**Failed requests \\(whole load\\)**" in text for text in texts] == [True, False]


def test_an_invalid_run_names_the_broken_check() -> None:
    """The reason can be read without opening the report."""
    printed = "\n".join(lines(report(outcome=Outcome.INVALID)))
    assert "! invalid (generator-cpu): generator CPU 99% of a core, allowed 90%" in printed
    assert "run valid" not in printed
    assert printed.endswith("INVALID  no verdict on silver: generator CPU 99% of a core, allowed 90%")
    assert "the run is invalid" not in printed


def test_a_run_undecided_by_no_objective_says_why() -> None:
    """A target that died in a run that had met everything: the headline is the only reason."""
    printed = lines(target_lost())
    assert printed[0].startswith("UNDECIDED")
    assert words(printed).count("the target stopped responding before the end of the run") == 1
