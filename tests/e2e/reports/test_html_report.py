"""The HTML report in a real Chromium: nothing is blocked or missing, with and without scripts."""

import hashlib
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from slocheck.comparison.compare import compare
from slocheck.comparison.history import histories
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from slocheck.reporters.runs.side_by_side import comparison_page
from slocheck.reporters.runs.trend import history_page
from tests.builders.records import latency, record, runs
from tests.builders.reports import HOSTILE, hostile_report, report
from tests.e2e.support.browser import CHROMIUM, Browser
from tests.support.html_page import read

WAIT_S = 120
AXE = Path(__file__).parents[2] / "vendor" / "axe-core" / "axe.min.js"


def browse(folder: Path, document: str) -> tuple[str, list[str]]:
    """Open a document in a fresh browser; returns the DOM and what its console said."""
    folder.mkdir(exist_ok=True)
    page = folder / "report.html"
    page.write_text(document, encoding="utf-8")
    profile = folder / "profile"
    profile.mkdir()
    done = subprocess.run(
        [*CHROMIUM, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=True,
    )
    return done.stdout, re.findall(r"CONSOLE[^\]]*\] (.*)", done.stderr)


def html_of(found: Report) -> str:
    """Render the report."""
    return FORMATS["html"].render(found)


@pytest.mark.parametrize("scripts", [True, False])
def test_the_report_is_complete_and_the_console_silent(tmp_path: Path, *, scripts: bool) -> None:
    """Verdict, objectives, charts and tables are in the DOM; the policy blocks nothing."""
    document = html_of(report())
    dom, console = browse(tmp_path, document if scripts else without_scripts(document))
    assert console == []
    page = read(dom)
    assert "FAIL" in page.text("h1")
    assert {"latency", "load", "statuses", "cache", "spectrum", "heatmap"} <= set(page.attributes("id"))
    assert "230ms" in page.text("dd")
    assert "slocheck run slo.yaml --seed 42" in page.text("pre")
    assert ("sort" in page.attributes("class")) is scripts


def without_scripts(document: str) -> str:
    """Return the document as a browser without scripts reads it."""
    return re.sub("<script.*?</script>", "", document, flags=re.DOTALL)


def test_a_browser_with_scripts_switched_off_shows_it_all(tmp_path: Path) -> None:
    """Nothing depends on a script: the DOM is that of the page without scripts."""
    document = html_of(report())
    page = tmp_path / "off.html"
    page.write_text(document, encoding="utf-8")
    with Browser(tmp_path / "off") as browser:
        switched_off = browser.dom(page.as_uri(), scripts=False)
        switched_on = browser.dom(page.as_uri(), scripts=True)
        assert browser.complaints == []
    without, _ = browse(tmp_path / "without", without_scripts(document))
    assert "".join(without_scripts(switched_off).split()) == "".join(without.split())
    assert 'class="sort"' in switched_on


def test_a_violation_of_the_policy_would_be_noticed(tmp_path: Path) -> None:
    """The silence above means something: an inline style and a script with another hash are reported."""
    document = html_of(report()).replace(
        "<body>", '<body style="color: red"><script>document.title = "x"</script>'
    )
    dom, console = browse(tmp_path, document)
    assert sum("Content Security Policy" in line for line in console) == 2
    assert "<title>x</title>" not in dom


def test_hostile_text_runs_nowhere(tmp_path: Path) -> None:
    """Names, messages and queries full of markup add no element to the DOM and nothing to the console."""
    dom, console = browse(tmp_path, html_of(hostile_report("".join(HOSTILE[:2]))))
    assert console == []
    assert "alert(1)" in read(dom).text("h3") + read(dom).text("p")
    assert len([tag for tag, _ in read(dom).tags if tag in {"script", "img"}]) == 2


SORT = """
(() => {
  const rows = () => [...document.querySelectorAll("table.sortable tbody tr")];
  const column = () => rows().map((row) => row.cells[0].textContent);
  const p99 = document.querySelectorAll("table.sortable .sort")[8];
  const orders = [];
  for (let click = 0; click < 2; click++) { p99.click(); orders.push(column()); }
  return orders;
})()
"""
FILTER = """
(() => {
  const input = document.querySelector(".filter input");
  input.value = "CHECKOUT";
  input.dispatchEvent(new Event("input"));
  const shown = [...document.querySelectorAll("table.sortable tbody tr")].filter((row) => !row.hidden);
  return [shown.map((row) => row.cells[0].textContent), document.querySelector(".filter span").textContent];
})()
"""
HOVER = """
(() => {
  const chart = document.getElementById("load");
  const box = chart.getBoundingClientRect();
  const x = box.left + box.width * (60 + 840 * 25.5 / 45) / 1000;
  chart.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: box.top + 50 }));
  return chart.closest("figure").querySelector("output").textContent;
})()
"""


def test_scripts_sort_and_filter_the_endpoints_and_read_off_the_charts(tmp_path: Path) -> None:
    """The total stays on top, whatever is sorted or filtered; the crosshair shows the second's counts."""
    page = tmp_path / "report.html"
    page.write_text(html_of(report()), encoding="utf-8")
    with Browser(tmp_path / "profile") as browser:
        assert browser.evaluate(page.as_uri(), SORT) == [
            ["all requests", "GET /items/{id}", "POST /checkout"],
            ["all requests", "POST /checkout", "GET /items/{id}"],
        ]
        found = browser.evaluate(page.as_uri(), FILTER)
        assert found == [["all requests", "POST /checkout"], "1 of 2"]
        assert browser.evaluate(page.as_uri(), HOVER) == "03:04:30 (0:25)  sent 102  answered 101  failed 2"
        assert browser.complaints == []


OPEN_ALL = "for (const part of document.querySelectorAll('details')) part.open = true"
FINDINGS = """
axe.run(document).then((found) => found.violations.map(
  (rule) => rule.id + ": " + rule.nodes.map((node) => node.html.slice(0, 100)).join(" | ")))
"""
LAYOUT = """
(() => {
  const shown = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.left >= 0 && box.right <= innerWidth;
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    hidden: all(".gate dd, .gate .ruler > svg").filter((element) => !shown(element)).length,
    rows: all(".gate .row").length,
    cut: all("figure > svg").filter((chart) => !shown(chart)).length,
    charts: all("figure > svg").length,
    crossing: all(".gate .ruler > svg").flatMap((ruler) => {
      const boxes = [...ruler.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
      const cross = (one, other) => one.left < other.right && other.left < one.right
        && one.top < other.bottom - 2 && other.top < one.bottom - 2;
      return boxes.filter((one, at) => boxes.slice(at + 1).some((other) => cross(one, other)));
    }).length,
    below: all("h1, .decided, .since, .gate .row, .gate .change, #latency")
      .filter((element) => element.getBoundingClientRect().bottom > innerHeight).length,
    controls: all(".contents, .filter").filter((element) => element.getClientRects().length).length,
  };
})()
"""
LAPTOP = 1280
A4 = 718
"""Pixels that a page of paper is wide, without its margins."""


def pages_on_several_runs() -> dict[str, str]:
    """Return the pages of a history and of a comparison, with something that stands out."""
    several = [*runs(0.1, 0.101, 0.099, 0.1, 0.102), record(6, latency(0.2))]
    spectra = [(name, ((0.5, 0.1), (0.99, 0.2))) for name in ("before", "now")]
    return {
        "trend.html": history_page(histories(several, 20)),
        "sides.html": comparison_page(compare(several[-1:], several[:-1]), spectra),
    }


def since_earlier_runs() -> Report:
    """Return a run that failed, with what changed since five earlier ones."""
    failed, before = report(), report(Outcome.UNDECIDED).record
    assert failed.record is not None
    assert before is not None
    earlier = [replace(before, run_id=f"2026010{day}T030405Z-abcdef") for day in range(1, 6)]
    return replace(failed, comparison=compare([failed.record], earlier))


def test_axe_finds_nothing_and_nothing_leaves_the_page(tmp_path: Path) -> None:
    """In both themes; on a phone, a laptop and a wide screen; with names of 200 characters, too.

    A laptop's first screen shows the verdict, four objectives of the gate with their changes, and the chart.
    """
    digest = hashlib.sha256(AXE.read_bytes()).hexdigest()
    assert digest in AXE.with_name("README.md").read_text(encoding="utf-8")
    short, long = tmp_path / "short.html", tmp_path / "long.html"
    short.write_text(html_of(since_earlier_runs()), encoding="utf-8")
    long.write_text(html_of(hostile_report("x" * 200)), encoding="utf-8")
    with Browser(tmp_path / "profile") as browser:
        for page, width, dark in ((short, 390, True), (short, 1280, False), (long, 390, False)):
            found = browser.evaluate(
                page.as_uri(), OPEN_ALL, AXE.read_text(encoding="utf-8"), FINDINGS, width=width, dark=dark
            )
            assert found == [], (page.name, width, dark)
        for name, text in pages_on_several_runs().items():
            (tmp_path / name).write_text(text, encoding="utf-8")
            address = (tmp_path / name).as_uri()
            script = AXE.read_text(encoding="utf-8")
            assert browser.evaluate(address, OPEN_ALL, script, FINDINGS, width=390, dark=True) == [], name
            assert browser.evaluate(address, LAYOUT, width=390)["overflow"] == 0, name
        for page, rows in ((short, 4), (long, 3)):
            for width, printed in ((390, False), (1081, False), (LAPTOP, False), (1920, False), (A4, True)):
                layout = browser.evaluate(page.as_uri(), LAYOUT, width=width, printed=printed)
                assert layout["rows"] == rows
                assert layout["charts"] > 8
                assert (layout["controls"] == 0) == printed
                wrong = [layout[name] for name in ("overflow", "hidden", "cut", "crossing")]
                assert wrong == [0, 0, 0, 0], (page.name, width)
                if page is short and width == LAPTOP:
                    assert layout["below"] == 0
        assert browser.complaints == []
