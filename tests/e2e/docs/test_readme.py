"""The README's commands, as they are shown."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from slocheck.assets import asset
from tests.e2e.support.cli import only_run, slocheck, start_slocheck
from tests.support.waiting import wait_until

GRADED = {0, 1, 3, 4}
"""Exit codes of a finished run; which one depends on the machine's speed."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the shipped spec and scenario; the API they name is up, on a free port."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "scenarios").mkdir()
    shutil.copy(asset("browse.yaml"), folder / "scenarios")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "slo.yaml").write_text(asset("slo.yaml").read_text().replace(":8000", f":{port}"))
    serving = start_slocheck("demo", "--serve", "--port", str(port), cwd=folder)
    try:
        wait_until(lambda: _responses(port), deadline=60)
        yield folder
    finally:
        serving.terminate()
        serving.communicate(timeout=60)


def _responses(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def graded(shop: Path) -> Path:
    """Run the shipped spec, with a shorter window; returns the folder that holds reports/."""
    done = slocheck("run", "--duration", "10s", cwd=shop)
    assert done.returncode in GRADED, done.stderr
    return shop


def test_the_demo_ends_with_a_grade(tmp_path: Path) -> None:
    """One command, no server, a grade reached by measuring, exit 0, and the report's place."""
    done = slocheck("demo", "--duration", "10s", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = only_run(tmp_path)
    assert (run / "report.html").is_file()
    assert str((run / "report.html").relative_to(tmp_path)) in done.stdout
    assert json.loads((run / "result.json").read_text())["verdict"] in {"pass", "fail", "undecided"}


def test_the_two_terminals(shop: Path, graded: Path) -> None:
    """With the API served, the shipped spec validates, shows its plan, and was run as it is."""
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
    """What it writes is accepted without a change."""
    options = ("--service", "shop-api", "--target", "http://127.0.0.1:8000", "--dir", "my-slo")
    done = slocheck("init", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert slocheck("validate", "my-slo/slo.yaml", cwd=tmp_path).returncode == 0
