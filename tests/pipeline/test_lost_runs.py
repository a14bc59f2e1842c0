"""Runs without a result: each is the latest one all the same, and says what became of it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slocheck.errors import MeasurementError, SaveError, UsageError
from slocheck.pipeline.archive import RUNNING_FILE, UNSAVED_FILE, Archive, load_evidence
from tests.builders.evidence import make_evidence

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def _archived(archive: Archive) -> None:
    """Keep a run with a result."""
    with archive.create(NOW) as folder:
        folder.save_evidence(make_evidence(), "service: x\n")


def test_a_run_that_could_not_be_saved_is_the_latest_all_the_same(tmp_path: Path) -> None:
    """It says why, and where its evidence is kept; the result of an older run is never taken for it."""
    archive = Archive(tmp_path)
    _archived(archive)
    folder = archive.create(LATER)
    (folder.path / "slo.yaml" / "in its place").mkdir(parents=True)
    with folder, pytest.raises(SaveError):
        folder.save_evidence(make_evidence(), "service: x\n")
    with pytest.raises(MeasurementError, match=r"ended with exit code 74: .*slo.yaml: .*kept in ") as said:
        archive.find("latest")
    assert load_evidence(Path(re.findall(r"kept in (\S+);", str(said.value))[0])) == make_evidence()


@pytest.mark.parametrize("name", ["latest", "20270101T000000Z-000000"])
def test_a_folder_without_anything_is_a_run_without_a_result(tmp_path: Path, name: str) -> None:
    """A kill right after the folder was made leaves no mark in it."""
    archive = Archive(tmp_path)
    _archived(archive)
    (tmp_path / "20270101T000000Z-000000").mkdir()
    with pytest.raises(MeasurementError, match="this run was killed"):
        archive.find(name)


def test_a_name_that_is_too_long_is_no_run(tmp_path: Path) -> None:
    """The file system refuses to look for it."""
    with pytest.raises(UsageError, match="no run is archived there"):
        Archive(tmp_path).find("x" * 300)


@contextmanager
def another_user() -> Iterator[None]:
    """Lose the rights of root, who may read everything; the folders have no rights for others."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_another_user_keeps_to_himself_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """His run is the latest one all the same, and one that goes on is not called killed."""
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    archive = Archive(Path("reports"))
    archive.probe()
    going_on, hidden = archive.create(NOW), archive.create(NOW)
    hidden.close()
    (going_on.path / RUNNING_FILE).chmod(0o444)
    hidden.path.chmod(0)
    with another_user():
        with pytest.raises(MeasurementError, match="it cannot be read: Permission denied"):
            archive.find("latest")
        with pytest.raises(MeasurementError, match="this run is still going on"):
            archive.find(going_on.path.name)
    hidden.path.chmod(0o755)
    going_on.close()


@contextmanager
def full_disk() -> Iterator[Path]:
    """Mount a file system that has room for folders only."""
    mount = Path("/dev/shm") / f"slocheck-full-{os.getpid()}"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", mount], check=True)
    try:
        (mount / "filler").write_bytes(bytes(4096))
        yield mount
    finally:
        subprocess.run(["umount", mount], check=True)
        shutil.rmtree(mount)


def test_a_full_disk_leaves_a_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the reason fits; the run is not called killed, and the error says where its evidence is."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with full_disk() as mount:
        archive = Archive(mount)
        with (
            archive.create(NOW) as folder,
            pytest.raises(SaveError, match=rf"No space left.*kept in {tmp_path}"),
        ):
            folder.save_evidence(make_evidence(), "service: x\n")
        assert [path.name for path in folder.path.iterdir()] == [UNSAVED_FILE]
        with pytest.raises(MeasurementError, match="its result could not be saved; name another run"):
            archive.find("latest")


def test_a_disk_that_breaks_at_the_end_costs_nothing(tmp_path: Path) -> None:
    """Everything is saved by then; that the run's mark cannot be closed is no reason to lose the verdict."""
    with Archive(tmp_path).create(NOW) as folder:
        folder.save_evidence(make_evidence(), "service: x\n")
        (mark,) = (
            int(link.name)
            for link in Path("/proc/self/fd").iterdir()
            if link.is_symlink() and str(folder.path) in str(link.readlink())
        )
        os.close(mark)
    assert load_evidence(Archive(tmp_path).find("latest")) == make_evidence()


def test_a_reports_folder_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    """Whatever is wrong with it."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match="loop: cannot be read: Too many levels of symbolic links"):
        Archive(tmp_path / "loop").create(NOW)
