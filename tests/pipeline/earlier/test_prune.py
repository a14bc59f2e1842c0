"""Old runs are removed, and nothing else."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest

from slocheck.errors import SaveError
from slocheck.grading.assessment import Outcome
from slocheck.pipeline.archive import ABORTED_FILE, EVIDENCE_FILE, RUNNING_FILE, SPEC_FILE, Archive
from slocheck.pipeline.earlier.prune import fates, remove, unused_specs, url_spec_name
from slocheck.pipeline.earlier.reading import RESULT_FILE
from slocheck.pipeline.evidence_file import RECORDING_FILE
from slocheck.reporters import FORMATS
from tests.builders.results import result, run_id

REPORTS = [item.file_name for item in FORMATS.values()]


def run(root: Path, number: int, *names: str) -> Path:
    """Make a run's folder with these files; by default with those of a complete run."""
    folder = root / run_id(number)
    folder.mkdir(parents=True)
    for name in names or (EVIDENCE_FILE, RECORDING_FILE, SPEC_FILE, *REPORTS, ".result.json.x1y2z3"):
        (folder / name).touch()
    if not names:
        write(folder, result(number))
    return folder


def write(folder: Path, document: dict[str, Any]) -> None:
    """Write the result of a run."""
    (folder / RESULT_FILE).write_text(json.dumps(document))


def left(root: Path) -> list[str]:
    """Return what is in a folder, by name."""
    return sorted(path.name for path in root.iterdir())


def test_the_newest_runs_with_a_result_stay(tmp_path: Path) -> None:
    """Runs without a result do not count as kept; the older ones are removed, too."""
    for number in (1, 3, 5):
        run(tmp_path, number)
    run(tmp_path, 2, ABORTED_FILE)
    run(tmp_path, 4, ABORTED_FILE)
    run(tmp_path, 6, ABORTED_FILE)
    found = fates(Archive(tmp_path), 2, REPORTS)
    assert [(fate.folder.name, fate.kept_because) for fate in found] == [(run_id(1), ""), (run_id(2), "")]
    for fate in found:
        remove(fate.folder)
    assert left(tmp_path) == [run_id(number) for number in (3, 4, 5, 6)]
    assert fates(Archive(tmp_path), 2, REPORTS) == []
    assert fates(Archive(tmp_path / "none"), 2, REPORTS) == []


def test_runs_that_were_not_valid_push_out_no_valid_one(tmp_path: Path) -> None:
    """Nights of invalid, interrupted and damaged runs; those older than the oldest kept run are removed."""
    for number in range(8):
        run(tmp_path, number)
    for number in (0, 2, 5):
        write(tmp_path / run_id(number), result(number, outcome=Outcome.INVALID))
    write(tmp_path / run_id(6), result(6, outcome=Outcome.INTERRUPTED))
    (tmp_path / run_id(7) / RESULT_FILE).write_text("{")
    removed = [
        [fate.folder.name for fate in fates(Archive(tmp_path), keep, REPORTS)] for keep in (1, 2, 3, 4)
    ]
    assert removed == [[run_id(n) for n in range(4)], [run_id(n) for n in range(3)], [run_id(0)], []]


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    """A foreign file, a link, a folder inside, a file named like a run, another folder: each stays."""
    elsewhere = tmp_path / "elsewhere"
    run(elsewhere, 0)
    reports = tmp_path / "reports"
    for number in range(1, 6):
        run(reports, number)
    (reports / run_id(1) / "notes.txt").touch()
    (reports / run_id(2) / SPEC_FILE).unlink()
    (reports / run_id(2) / SPEC_FILE).mkdir()
    (reports / run_id(3) / "summary.md").unlink()
    (reports / run_id(3) / "summary.md").symlink_to(elsewhere / run_id(0) / SPEC_FILE)
    (reports / run_id(6)).mkdir()
    (reports / run_id(7)).symlink_to(elsewhere / run_id(0))
    (reports / run_id(8)).touch()
    (reports / "baseline").mkdir()
    run(reports, 9)
    before = left(reports)
    found = fates(Archive(reports), 1, REPORTS)
    kept = {fate.folder.name: fate.kept_because for fate in found if fate.kept_because}
    assert kept == {
        run_id(1): "slocheck did not write notes.txt",
        run_id(2): "slocheck did not write slo.yaml",
        run_id(3): "slocheck did not write summary.md",
        run_id(7): "it is a link, or not a folder",
        run_id(8): "it is a link, or not a folder",
    }
    assert [fate.folder.name for fate in found if not fate.kept_because] == [run_id(n) for n in (4, 5, 6)]
    assert left(reports) == before
    assert left(elsewhere / run_id(0))


def test_what_a_kill_left_goes(tmp_path: Path) -> None:
    """An empty folder, or one with files that were not renamed yet."""
    (tmp_path / run_id(1)).mkdir()
    run(tmp_path, 2, f".{RUNNING_FILE}", f".slocheck-{'a1' * 8}")
    run(tmp_path, 3)
    for fate in fates(Archive(tmp_path), 1, REPORTS):
        assert fate.kept_because == ""
        remove(fate.folder)
    assert left(tmp_path) == [run_id(3)]


def test_specs_of_addresses_go_with_their_last_run(tmp_path: Path) -> None:
    """Not one that a kept run used, that was changed, or that is newer than the oldest kept run."""
    texts = [b"service: a", b"service: b", b"service: c", b"service: d"]
    old, used, changed, new = (tmp_path / url_spec_name(text) for text in texts)
    for path, text in zip((old, used, changed, new), texts, strict=True):
        path.write_bytes(text)
        os.utime(path, (1000, 1000))
    changed.write_bytes(b"service: mine")
    gone, kept = run(tmp_path, 1), run(tmp_path, 2)
    (kept / SPEC_FILE).write_bytes(texts[1])
    os.utime(kept, (2000, 2000))
    os.utime(changed, (1000, 1000))
    os.utime(new, (3000, 3000))
    assert unused_specs(Archive(tmp_path), []) == []
    (found,) = unused_specs(Archive(tmp_path), [gone])
    assert found == old
    remove(found)
    assert not old.exists()
    assert all(path.is_file() for path in (used, changed, new))


def test_a_run_that_goes_on_stays(tmp_path: Path) -> None:
    """Its lock is held, however old it is."""
    folder = run(tmp_path, 1, RUNNING_FILE)
    run(tmp_path, 2)
    run(tmp_path, 3)
    lock = os.open(folder / RUNNING_FILE, os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    going, done = fates(Archive(tmp_path), 1, REPORTS)
    os.close(lock)
    assert (going.kept_because, done.kept_because) == ("this run is still going on", "")


def test_a_folder_that_cannot_be_removed_says_so(tmp_path: Path) -> None:
    """Nothing is removed below it."""
    folder = run(tmp_path, 1, SPEC_FILE)
    (folder / "kept").mkdir()
    with pytest.raises(SaveError, match="cannot be removed"):
        remove(folder)
    assert (folder / "kept").is_dir()
