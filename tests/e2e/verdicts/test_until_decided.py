"""``--until-decided`` against the real reference API."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slocheck.reference_api.server import ReferenceApi
from tests.e2e.support.cli import result_of, slocheck, write_spec

CONFIDENT = "confidence: 95%\n"
LOAD = "users: 3, spawn_rate: 100/s, warmup: 1s, duration: 60s"


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The reference API, for all tests of this file."""
    with ReferenceApi(port=0) as running:
        yield running.url


CLEAR = {0: '  error_rate: {silver: "< 50%"}\n', 1: '  latency_p50: {silver: "< 1us"}\n'}
"""Objectives that are plainly met and plainly breached, by exit code."""


def test_a_clear_case_ends_early(api: str, tmp_path: Path) -> None:
    """Not before a minute; most of the window is not run, and the run is still valid."""

    def run(code: int) -> None:
        folder = tmp_path / str(code)
        folder.mkdir()
        write_spec(folder, api, objectives=CLEAR[code], workload=LOAD, more=CONFIDENT)
        asked = ("run", "--json", "--until-decided", "--max-duration", "5m", "--allow-concurrent")
        done = slocheck(*asked, cwd=folder, timeout=400)
        assert done.returncode == code, done.stderr
        assert 60 <= result_of(done)["run"]["window_s"] <= 180
        assert "decided after" in done.stderr
        assert slocheck("grade", "latest", "--json", cwd=folder).returncode == code

    with ThreadPoolExecutor(len(CLEAR)) as pool:
        list(pool.map(run, CLEAR))


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        pytest.param(["--max-duration", "50s"], CONFIDENT, "--until-decided", id="alone"),
        pytest.param(["--until-decided"], "confidence: none\n", "confidence", id="without a confidence"),
    ],
)
def test_what_does_not_go_together(
    api: str, tmp_path: Path, arguments: list[str], more: str, message: str
) -> None:
    """Refused before anything is sent."""
    write_spec(tmp_path, api, workload=LOAD, more=more)
    done = slocheck("run", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
