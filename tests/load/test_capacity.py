"""Planned users against what this machine can open."""

import resource
from dataclasses import replace
from pathlib import Path

import pytest

from slocheck.errors import UsageError
from slocheck.load import capacity
from tests.load.test_collector import PLAN


@pytest.mark.parametrize(
    ("asked", "files", "ports", "says"),
    [
        pytest.param((936, 1), 1000, 28_232, None, id="just enough files"),
        pytest.param((937, 1), 1000, 28_232, "may open 1,000; raise the hard limit", id="one file short"),
        pytest.param((1872, 2), 1000, 28_232, None, id="two processes share them"),
        pytest.param((80_000, 4), 1 << 20, 28_232, "this machine has 28,232", id="more than there are ports"),
        pytest.param((66_000, 1), -1, 1 << 17, "spread them with --processes", id="what a worker can raise"),
    ],
)
def test_more_users_than_files_or_ports_are_refused(
    asked: tuple[int, int], files: int, ports: int, says: str | None, request: pytest.FixtureRequest
) -> None:
    """Before anything is sent, with the cure: the run would only measure this machine's limits."""
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    folder: Path = request.getfixturevalue("tmp_path")
    (folder / "range").write_text(f"32768\t{32768 + ports - 1}\n")
    patch.setattr(capacity, "PORT_RANGE", folder / "range")
    patch.setattr(resource, "getrlimit", lambda _: (files, files))
    plan = replace(PLAN, target_url="http://127.0.0.1:1", users=asked[0], processes=asked[1])
    if says is None:
        capacity.check_capacity(plan)
        return
    with pytest.raises(UsageError, match=says):
        capacity.check_capacity(plan)
