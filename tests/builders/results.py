"""Folders of runs with what other runs read: the result.json of a graded run, with another latency."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from slocheck.grading.assessment import Outcome
from slocheck.reporters import FORMATS
from tests.builders.reports import report


def run_id(number: int) -> str:
    """Return the name of the run of the `number`-th minute."""
    return f"20260102T03{number:02d}05Z-abcdef"


@cache
def _text(outcome: Outcome) -> str:
    return FORMATS["json"].render(report(outcome))


def result(
    number: int, p95: float = 0.1, *, outcome: Outcome = Outcome.PASS, host: str = "loader", commit: str = ""
) -> dict[str, Any]:
    """Return the result of a run whose first objective, a latency, has this value."""
    document: dict[str, Any] = json.loads(_text(outcome))
    document["run"] |= {"id": run_id(number), "started": f"2026-01-02T03:{number:02d}:05.000Z"}
    document["provenance"] |= {"host": host, "git_sha": commit or f"{number:040x}"}
    document["objectives"][0]["observed"] |= {"low": p95, "high": p95, "standard_error": 0.01}
    return document


def write_result(root: Path, document: dict[str, Any]) -> Path:
    """Write a run's folder with its result; returns the folder."""
    folder = root / str(document["run"]["id"])
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(document))
    return folder


def write_runs(root: Path, *p95: float, first: int = 0, **more: Any) -> list[Path]:
    """Write runs with these latencies, a minute apart; returns their folders, oldest first."""
    return [write_result(root, result(first + number, value, **more)) for number, value in enumerate(p95)]
