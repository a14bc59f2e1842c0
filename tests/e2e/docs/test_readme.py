"""The README's commands, exactly as shown."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.docs import pictures
from tests.e2e.support.cli import only_run, slocheck, slocheck_anew

GRADED = {0, 1, 3, 4}
"""Exit codes of a finished run; which one depends on the machine's speed."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the shipped spec, the README's and the scenario; the API they name is up."""
    folder = tmp_path_factory.mktemp("shop")
    with pictures.shop(folder):
        yield folder


@pytest.fixture(scope="module")
def graded(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the README's spec, with a shorter window; returns the folder that holds reports/."""
    drawn = tmp_path_factory.mktemp("pictures")
    done = pictures.make(drawn, shop, "--duration", "10s")
    assert done.returncode in GRADED, done.stderr
    assert (drawn / pictures.REPORT).read_bytes().startswith(b"\x89PNG")
    svg = (drawn / pictures.TERMINAL).read_text()
    assert "latency_p95" in svg
    assert re.findall(r"https?://[^ \"]+", svg) == ["http://www.w3.org/2000/svg", "https://www.textualize.io"]
    return shop


def test_the_demo_ends_with_a_grade(tmp_path: Path) -> None:
    """One command and no server give a measured grade and the report's path.

    Exit 0, whatever the grade; 4 if this machine was too busy to measure one.
    """
    done = slocheck_anew("demo", "--duration", "10s", cwd=tmp_path)
    run = only_run(tmp_path)
    verdict = json.loads((run / "result.json").read_text())["verdict"]
    assert done.returncode == {"pass": 0, "fail": 0, "undecided": 0, "invalid": 4}[verdict], done.stderr
    assert (run / "report.html").is_file()
    assert str((run / "report.html").relative_to(tmp_path)) in done.stdout


def test_the_two_terminals(shop: Path, graded: Path) -> None:
    """With the API up, the shipped spec validates and shows its plan, and the README's spec was run."""
    assert slocheck("validate", cwd=shop).returncode == 0
    plan = slocheck("run", "--dry-run", cwd=shop)
    assert plan.returncode == 0, plan.stderr
    assert "latency_p95" in plan.stdout
    assert (only_run(graded) / "report.html").is_file()


def test_a_run_is_graded_and_reported_again(graded: Path) -> None:
    """The archive is enough for another gate and for every other format."""
    again = slocheck("grade", "latest", "--gate", "bronze", cwd=graded)
    assert again.returncode in GRADED, again.stderr
    markdown = slocheck("report", "latest", "--format", "markdown", cwd=graded)
    assert "gate **bronze**" not in markdown.stdout, "grading changes nothing in the archive"
    assert "gate **silver**" in markdown.stdout
    html = slocheck("report", "latest", "--format", "html", "-o", "report.html", cwd=graded)
    assert html.returncode == 0, html.stderr
    assert "latency_p95" in (graded / "report.html").read_text()


def test_init_writes_a_spec_that_validates(tmp_path: Path) -> None:
    """What it writes is accepted unchanged."""
    options = ("--service", "shop-api", "--target", "http://127.0.0.1:8000", "--dir", "my-slo")
    done = slocheck("init", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert slocheck("validate", "my-slo/slo.yaml", cwd=tmp_path).returncode == 0
