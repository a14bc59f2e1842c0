"""``--until-decided`` against the real reference API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from slocheck.reference_api.server import ReferenceApi
from tests.e2e.support.cli import result_of, slocheck, write_spec

CONFIDENT = "confidence: 95%\n"
LOAD = "users: 10, spawn_rate: 100, warmup: 1s, duration: 60s"


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The reference API, for all tests of this file."""
    with ReferenceApi(port=0) as running:
        yield running.url


@pytest.mark.parametrize(
    ("objectives", "code"),
    [
        pytest.param('  error_rate: {silver: "< 50%"}\n', 0, id="plainly met"),
        pytest.param('  latency_p50: {silver: "< 1us"}\n', 1, id="plainly breached"),
    ],
)
def test_a_clear_case_ends_early(api: str, tmp_path: Path, objectives: str, code: int) -> None:
    """Most of the window is not driven, and the run is valid all the same."""
    write_spec(tmp_path, api, objectives=objectives, workload=LOAD, more=CONFIDENT)
    done = slocheck("run", "--json", "--until-decided", "--max-duration", "50s", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert 10 <= result_of(done)["run"]["window_s"] <= 45
    assert "decided after" in done.stderr
    again = slocheck("grade", "latest", "--json", cwd=tmp_path)
    assert again.returncode == code


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
