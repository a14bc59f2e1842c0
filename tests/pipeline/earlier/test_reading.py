"""Whatever is in a reports folder, each run has a record or a reason."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from slocheck.comparison.model import RunRecord
from slocheck.errors import UsageError
from slocheck.pipeline.archive import ABORTED_FILE, EVIDENCE_FILE, Archive
from slocheck.pipeline.earlier.baseline import Earlier
from slocheck.pipeline.earlier.reading import (
    MAX_RESULT,
    RESULT_FILE,
    Unread,
    newest,
    newest_first,
    read_record,
    read_runs,
)
from slocheck.reporters import FORMATS
from tests.builders.results import result, run_id, write_result, write_runs


def test_the_result_is_the_file_of_the_json_report() -> None:
    """The pipeline does not import reporters; both have the same file name."""
    assert FORMATS["json"].file_name == RESULT_FILE


def _with_evidence(folder: Path, content: str | bytes) -> None:
    (folder / EVIDENCE_FILE).touch()
    path = folder / RESULT_FILE
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _huge(folder: Path) -> None:
    with (folder / RESULT_FILE).open("wb") as file:
        file.truncate(MAX_RESULT + 1)


def _other_version(folder: Path) -> None:
    (folder / RESULT_FILE).write_text(json.dumps({**result(1), "schema_version": 99}))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing at all": (lambda _: None, "this run was killed"),
    "a run that was refused": (
        lambda folder: (folder / ABORTED_FILE).write_text("4\nit does not respond\n"),
        "ended with exit code 4: it does not respond",
    ),
    "an endless reason": (lambda folder: (folder / ABORTED_FILE).symlink_to("/dev/zero"), "was killed"),
    "evidence alone": (lambda folder: (folder / EVIDENCE_FILE).touch(), "write it again: slocheck report"),
    "cut off": (lambda folder: _with_evidence(folder, '{"schema_version": 1, "run'), "damaged"),
    "empty": (lambda folder: _with_evidence(folder, ""), "damaged"),
    "a list": (lambda folder: _with_evidence(folder, "[]"), "not a result of slocheck"),
    "a foreign file": (lambda folder: _with_evidence(folder, '{"name": "x"}'), "schema_version is None"),
    "not a number": (lambda folder: _with_evidence(folder, '{"schema_version": NaN}'), "NaN is not JSON"),
    "a long number": (lambda folder: _with_evidence(folder, "1" * 10_000), "damaged"),
    "deep": (lambda folder: _with_evidence(folder, "[" * 200_000), "damaged"),
    "bytes": (lambda folder: _with_evidence(folder, b"\xff\xfe\x00"), "damaged"),
    "huge": (_huge, "larger than"),
    "a pipe": (lambda folder: os.mkfifo(folder / RESULT_FILE), "not a regular file"),
    "a folder": (lambda folder: (folder / RESULT_FILE).mkdir(), "cannot be read"),
    "a device": (lambda folder: (folder / RESULT_FILE).symlink_to("/dev/zero"), "not a regular file"),
    "a link to itself": (lambda folder: (folder / RESULT_FILE).symlink_to(RESULT_FILE), "cannot be read"),
    "another version": (_other_version, "schema_version is 99"),
    "another run's": (
        lambda folder: (folder / RESULT_FILE).write_text(json.dumps(result(7))),
        f"the result of {run_id(7)}",
    ),
}


@pytest.mark.parametrize(("make", "why"), BROKEN.values(), ids=BROKEN)
def test_a_run_without_a_record_says_why(make: Callable[[Path], object], why: str, tmp_path: Path) -> None:
    """One line for each: what is wrong, and how to write it again; the other runs are read."""
    folder = tmp_path / run_id(1)
    folder.mkdir()
    make(folder)
    write_runs(tmp_path, 0.1, first=2)
    after, broken = newest_first(Archive(tmp_path))
    assert isinstance(after, RunRecord)
    assert isinstance(broken, Unread)
    assert broken.run_id == run_id(1)
    assert why in broken.why
    with pytest.raises(UsageError, match=run_id(1)):
        read_runs(str(folder), Archive(tmp_path))


def test_foreign_folders_and_files_are_not_runs(tmp_path: Path) -> None:
    """Only folders named like a run are read."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").touch()
    (tmp_path / f"{run_id(1)}-copy").mkdir()
    (folder,) = write_runs(tmp_path, 0.1)
    assert list(newest_first(Archive(tmp_path))) == [read_record(folder)]


def test_runs_are_named_in_several_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the folder, its result, its name in the archive, and as a folder of runs; oldest first."""
    folders = write_runs(tmp_path / "old", 0.1, 0.2, 0.3)
    archive = Archive(tmp_path / "old")
    first = read_record(folders[0])
    monkeypatch.chdir(folders[0])
    for name in (str(folders[0]), str(folders[0] / RESULT_FILE), folders[0].name, "."):
        assert [record.run_id for record in read_runs(name, archive)] == [first.run_id]
    assert [record.run_id for record in read_runs(str(tmp_path / "old"), Archive(tmp_path))] == [
        folder.name for folder in folders
    ]
    (tmp_path / "loop").symlink_to("loop")
    for nothing in ("no-such-run", str(tmp_path), str(tmp_path / "loop"), "x" * 300):
        with pytest.raises(UsageError, match="no run is archived there"):
            read_runs(nothing, Archive(tmp_path))


def test_the_newest_of_a_service_are_found_among_others(tmp_path: Path) -> None:
    """The number is that of the service's runs, and nothing more is read."""
    write_runs(tmp_path, 0.1, 0.2, 0.3)
    for number in (10, 11):
        write_result(tmp_path, {**result(number), "service": "cart"})
    (tmp_path / run_id(20)).mkdir()
    shop = newest(Archive(tmp_path), 2, service="shop-api")
    assert [run.run_id for run in shop] == [run_id(1), run_id(2)]
    assert [run.run_id for run in newest(Archive(tmp_path), 2)] == [run_id(11), run_id(20)]
    assert newest(Archive(tmp_path / "none"), 2) == []


def test_a_folder_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """A name too long, like a folder without permission, is an error for a command; a run skips it."""
    (folder,) = write_runs(tmp_path, 0.1)
    unreadable = Archive(tmp_path / ("x" * 300))
    with pytest.raises(UsageError, match="cannot be read"):
        unreadable.runs()
    assert Earlier(unreadable)(read_record(folder)).comparison is None
    assert Archive(folder / RESULT_FILE).runs() == []
