"""The archive: atomic, free of collisions, open about damage."""

import errno
import fcntl
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slocheck.errors import MeasurementError, SaveError, SourceError, UsageError
from slocheck.evidence.model import Evidence
from slocheck.named_files import write_atomically, write_to
from slocheck.pipeline.archive import (
    EVIDENCE_FILE,
    RUNNING_FILE,
    Archive,
    RunFolder,
    load_evidence,
)
from slocheck.pipeline.interrupts import Interrupted
from tests.builders.evidence import make_evidence

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _archived(archive: Archive, evidence: Evidence) -> Path:
    folder = archive.create(NOW)
    folder.save_evidence(evidence, "service: x\n")
    folder.close()
    return folder.path


def test_evidence_comes_back_as_it_was(tmp_path: Path) -> None:
    """What is saved and loaded again is equal, field by field."""
    evidence = make_evidence()
    path = _archived(Archive(tmp_path), evidence)
    assert load_evidence(path) == evidence
    assert (path / "slo.yaml").read_text() == "service: x\n"


def test_texts_that_are_not_unicode_are_kept_written_out(tmp_path: Path) -> None:
    """A file name in Latin-1 or half an emoji of the target's does not cost the run."""
    evidence = make_evidence(generator_error="half \ud83d of it")
    path = _archived(Archive(tmp_path), evidence)
    assert load_evidence(path).generator_error == "half \\ud83d of it"
    folder = RunFolder(tmp_path, -1)
    assert folder.write("report.md", "caf\udce9.py").read_bytes() == rb"caf\udce9.py"


def test_a_run_is_found_by_folder_file_name_and_latest(tmp_path: Path) -> None:
    """All the ways to name a run lead to its folder."""
    archive = Archive(tmp_path)
    first = _archived(archive, make_evidence())
    second = _archived(archive, make_evidence())
    os.utime(first)  # it ended later, but began earlier
    assert archive.find(str(first)) == first
    assert archive.find(str(first / EVIDENCE_FILE)) == first
    assert archive.find(first.name) == first
    assert archive.find("latest") == second


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(None, "this run is still going on", id="running"),
        pytest.param(SourceError("Prometheus is down"), "exit code 4: Prometheus is down", id="failed"),
        pytest.param(Interrupted("SIGTERM"), "exit code 143: interrupted by SIGTERM", id="interrupted"),
        pytest.param(KeyError("x"), "exit code 70: 'x'", id="a defect"),
    ],
)
def test_a_latest_run_without_a_result_is_said(
    tmp_path: Path, error: BaseException | None, said: str
) -> None:
    """The result of an older run is never taken for it."""
    archive = Archive(tmp_path)
    _archived(archive, make_evidence())
    with ExitStack() as stack:
        if error is not None:
            stack.enter_context(pytest.raises(type(error)))
        folder = archive.create(datetime(2027, 1, 1, tzinfo=UTC))
        if error is not None:
            with folder:
                raise error
    for name in ("latest", folder.path.name):
        with pytest.raises(MeasurementError, match=re.escape(said)):
            archive.find(name)
    folder.close()


def test_a_refused_run_leaves_no_folder(tmp_path: Path) -> None:
    """The problem is for the user to fix; nothing was started."""
    archive = Archive(tmp_path)
    whole = _archived(archive, make_evidence())
    with pytest.raises(UsageError), archive.create(datetime(2027, 1, 1, tzinfo=UTC)):
        raise UsageError("no such file")
    assert archive.find("latest") == whole


def test_a_mark_that_cannot_be_opened_stops_nobody(tmp_path: Path) -> None:
    """An old folder may hold anything under the name of the mark."""
    (tmp_path / "20260102T030405Z-abcdef" / RUNNING_FILE).mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / RUNNING_FILE).symlink_to("/nowhere/at/all")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / RUNNING_FILE)
    Archive(tmp_path).create(NOW).close()


def test_a_folder_that_cannot_be_locked_is_found_before_the_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names another place; nothing is left behind."""

    def unlockable(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unlockable)
    with pytest.raises(UsageError, match=r"cannot be locked: No locks available; .* --reports DIR"):
        Archive(tmp_path).create(NOW)
    assert list(tmp_path.iterdir()) == []


def test_two_hundred_runs_of_one_second_do_not_collide(tmp_path: Path) -> None:
    """Runs created at the same moment by several threads get folders of their own."""
    archive = Archive(tmp_path)
    folders: list[RunFolder] = []

    def create() -> None:
        folders.extend(archive.create(NOW) for _ in range(50))

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({folder.path for folder in folders}) == 200
    for folder in folders:
        folder.close()


def test_the_latest_run_is_the_one_that_began_last_even_if_the_clock_went_back(tmp_path: Path) -> None:
    """An older run's result is never taken for that of a run that was killed after it."""
    archive = Archive(tmp_path)
    for year in (2030, 2026, 2028):
        folder = archive.create(datetime(year, 1, 1, tzinfo=UTC))
        folder.close()
        (folder.path / EVIDENCE_FILE).touch()
        assert archive.find("latest") == folder.path
    (tmp_path / "99991231T235959Z-ffffff").mkdir()
    with pytest.raises(UsageError, match=r"99991231T235959Z-ffffff .*; move it out of the reports folder"):
        archive.create(NOW)


def test_a_killed_run_is_marked_aborted_by_the_next(tmp_path: Path) -> None:
    """The lock of a process that is gone is free, so its run is known to be dead."""
    code = (
        "import os, sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from slocheck.pipeline.archive import Archive\n"
        f"print(Archive(Path({str(tmp_path)!r})).create(datetime.now(UTC)).path); sys.stdout.flush()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    dead = Path(done.stdout.strip())
    assert (dead / RUNNING_FILE).exists()
    alive = Archive(tmp_path).create(NOW)
    another = Archive(tmp_path).create(NOW)
    with pytest.raises(MeasurementError, match="was killed"):
        Archive(tmp_path).find(str(dead))
    assert (alive.path / RUNNING_FILE).exists()
    alive.close()
    another.close()


@pytest.mark.parametrize("run", ["latest", "nowhere", "20260102T030405Z-abcdef"])
def test_an_unknown_run_is_a_usage_error(tmp_path: Path, run: str) -> None:
    """A name without a run gets a message with what to type instead."""
    with pytest.raises(UsageError, match="no run is archived there"):
        Archive(tmp_path).find(run)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not gzip", id="not gzip"),
        pytest.param(gzip.compress(b"{"), id="cut JSON"),
        pytest.param(gzip.compress(b"[]"), id="another form"),
        pytest.param(gzip.compress(b'{"evidence": {"schema_version": 5}}'), id="fields missing"),
        pytest.param(gzip.compress(b"x" * 1000)[:-10], id="cut gzip"),
    ],
)
def test_damaged_evidence_is_refused(tmp_path: Path, content: bytes) -> None:
    """Damage is named, with the file, and never graded."""
    (tmp_path / EVIDENCE_FILE).write_bytes(content)
    with pytest.raises(UsageError, match=f"{EVIDENCE_FILE}: damaged"):
        load_evidence(tmp_path)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        pytest.param(2, "format 2, which only development versions before slocheck 0.1.0 read", id="older"),
        pytest.param(99, "format 99, which a newer slocheck wrote.*upgrade it", id="newer"),
    ],
)
@pytest.mark.parametrize("fields", [pytest.param(True, id="whole"), pytest.param(False, id="other fields")])
def test_evidence_of_another_format_is_refused(
    tmp_path: Path, version: int, message: str, *, fields: bool
) -> None:
    """It is neither misread nor called damaged: the message says which version reads it."""
    path = _archived(Archive(tmp_path), make_evidence())
    document = json.loads(gzip.decompress((path / EVIDENCE_FILE).read_bytes()))
    kept = document["evidence"] if fields else {"unknown": 1}
    document["evidence"] = {**kept, "schema_version": version}
    (path / EVIDENCE_FILE).write_bytes(gzip.compress(json.dumps(document).encode()))
    with pytest.raises(UsageError, match=message):
        load_evidence(path)


def test_a_reports_path_that_is_a_file_is_found_before_the_load(tmp_path: Path) -> None:
    """The probe says which flag to change."""
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(UsageError, match="--reports DIR"):
        Archive(tmp_path / "reports").probe()


def test_the_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    """A folder that can be written is left as it was, but created."""
    Archive(tmp_path / "a" / "b").probe(keep=False)
    assert not list(tmp_path.iterdir())
    Archive(tmp_path / "a" / "b").probe()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_full_disk_leaves_the_old_file_whole() -> None:
    """On a file system of 64 KiB the second, larger file does not fit and the first one stays."""
    mount = Path("/dev/shm") / f"slocheck-test-{os.getpid()}"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount], check=True)
    try:
        target = mount / "result.json"
        write_atomically(target, b"old")
        with pytest.raises(SaveError, match=os.strerror(errno.ENOSPC)):
            write_atomically(target, b"x" * 200_000)
        assert target.read_bytes() == b"old"
        assert [path.name for path in mount.iterdir()] == ["result.json"]
    finally:
        subprocess.run(["umount", mount], check=True)
        shutil.rmtree(mount)


def test_evidence_that_cannot_be_saved_is_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Next to the run's folder or, if that is not possible, in the temporary folder; the error says where."""
    reports, temporary = tmp_path / "reports", tmp_path / "temporary"
    temporary.mkdir()
    reports.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    evidence = make_evidence()
    for lost, place in (("folder", reports), ("reports", temporary)):
        folder = Archive(reports).create(NOW)
        gone = folder.path if lost == "folder" else reports
        shutil.rmtree(gone)
        gone.write_text("something else in its place")
        with pytest.raises(SaveError, match=f"slo.yaml: cannot be written.*kept in {place}") as caught:
            folder.save_evidence(evidence, "service: x\n")
        kept = Path(str(caught.value).rpartition(" ")[2])
        assert load_evidence(kept) == evidence
        assert kept.stat().st_mode & 0o077 == 0
        folder.close()
        assert gone.is_file()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(SaveError) as nowhere:
        folder.save_evidence(evidence, "service: x\n")
    assert "kept in" not in str(nowhere.value)


def test_a_folder_that_was_removed_during_the_run_is_made_anew(tmp_path: Path) -> None:
    """Whether it alone is gone, or all reports: `latest` is still this run."""
    archive, evidence = Archive(tmp_path / "reports"), make_evidence()
    archive.probe()
    for everything in (False, True):
        folder = archive.create(NOW)
        shutil.rmtree(archive.root if everything else folder.path)
        folder.save_evidence(evidence, "service: x\n")
        folder.close()
        assert load_evidence(archive.find("latest")) == evidence
        assert archive.find("latest") == folder.path


def test_a_report_is_written_to_what_the_user_named(tmp_path: Path) -> None:
    """A link, a pipe and a device stay what they are; a file is replaced as a whole."""
    file, link, dangling, pipe = (tmp_path / name for name in ("file", "link", "dangling", "pipe"))
    file.write_text("a longer text than the next one")
    link.symlink_to(file)
    dangling.symlink_to(tmp_path / "new")
    os.mkfifo(pipe)
    for target in (file, link, dangling, Path("/dev/null")):
        write_to(target, b"text")
    assert file.read_text() == (tmp_path / "new").read_text() == "text"
    assert link.is_symlink()
    assert dangling.is_symlink()
    assert Path("/dev/null").is_char_device()
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        write_to(pipe, b"text")
        assert read.result() == b"text"
        leaver = pool.submit(lambda: os.close(os.open(pipe, os.O_RDONLY)))
        write_to(pipe, b"x" * 1_000_000)  # more than a pipe holds, so that a missing reader is noticed
        leaver.result()
    assert pipe.is_fifo()
    with pytest.raises(SaveError, match="cannot be written: Is a directory"):
        write_to(tmp_path, b"text")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for target in (tmp_path / "loop", Path("zero\0byte")):
        with pytest.raises(SaveError, match="cannot be written: "):
            write_to(target, b"text")
    with pytest.raises(SaveError, match="/dev/full: cannot be written: No space left"):
        write_to(Path("/dev/full"), b"text")
