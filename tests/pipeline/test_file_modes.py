"""Who may read a run's files: reports follow the umask, files that may hold secrets are their owner's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slocheck.errors import TargetError
from slocheck.named_files import write_to
from slocheck.pipeline.archive import (
    ABORTED_FILE,
    EVIDENCE_FILE,
    ORIGINAL_FILE,
    SPEC_FILE,
    Archive,
    replace_evidence,
)
from slocheck.pipeline.evidence_file import RECORDING_FILE
from slocheck.pipeline.scenario_log import LOG_FILE, ScenarioLog
from slocheck.reporters import RUN_FILES
from tests.builders.evidence import make_evidence

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PRIVATE = {EVIDENCE_FILE, RECORDING_FILE, ORIGINAL_FILE, SPEC_FILE, ABORTED_FILE, LOG_FILE}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Set the umask for a while."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of each file of a folder."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o027, 0o640)])
def test_reports_follow_the_umask_and_secrets_never_do(tmp_path: Path, mask: int, mode: int) -> None:
    """A web server can read the reports if the user lets it; spec, evidence and logs stay the owner's."""
    with umask(mask):
        folder = Archive(tmp_path).create(NOW)
        log = ScenarioLog(None, ())
        log.open(folder.path)
        log.take(b"a line\n")
        log.close()
        folder.__exit__(TargetError, TargetError("gone"), None)
        folder.save_evidence(make_evidence(), "service: x\n")
        replace_evidence(folder.path, make_evidence())
        for reporter in RUN_FILES.values():
            folder.write(reporter.file_name, "text")
        write_to(tmp_path / "report.html", b"text")
    reports = {reporter.file_name: mode for reporter in RUN_FILES.values()}
    assert modes(folder.path) == {**reports, **dict.fromkeys(PRIVATE, 0o600)}
    assert modes(tmp_path)["report.html"] == mode
    assert folder.path.stat().st_mode & 0o777 == 0o777 & ~mask & 0o755


def test_a_file_that_is_written_anew_keeps_its_mode(tmp_path: Path) -> None:
    """A user's change of a report's mode is kept; evidence is never widened."""
    report = tmp_path / "report.html"
    for mode in (0o600, 0o640, 0o664):
        report.write_text("old")
        report.chmod(mode)
        write_to(report, b"new")
        assert report.stat().st_mode & 0o777 == mode
    with Archive(tmp_path).create(NOW) as folder:
        (folder.path / EVIDENCE_FILE).touch(0o666)
        folder.save_evidence(make_evidence(), "service: x\n")
    assert modes(folder.path) == dict.fromkeys((EVIDENCE_FILE, RECORDING_FILE, SPEC_FILE), 0o600)
