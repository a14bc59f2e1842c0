"""A run's folder under reports/: written atomically, read back, listed.

A kill or a full disk leaves the old file or the new one, never half of one: see `write_atomically`.
"""

import fcntl
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Self

from slocheck.documents.yaml_tree import MAX_BYTES
from slocheck.errors import MeasurementError, SaveError, UsageError, reason_of
from slocheck.evidence.model import Evidence
from slocheck.masking import hidden_in, mask
from slocheck.named_files import asked, read_named, write_atomically
from slocheck.pipeline.evidence_file import (
    MAX_FILE,
    RECORDING_FILE,
    Files,
    decoded,
    encoded,
    evidence_of,
    fits_spec,
    read_bounded,
)
from slocheck.pipeline.recording_file import MAX_COUNTS_FILE, TooLargeError

EVIDENCE_FILE = "evidence.json.gz"
ORIGINAL_FILE = "evidence-as-run.json.gz"
"""The run's original evidence, if its server side was collected later."""
SPEC_FILE = "slo.yaml"
RUNNING_FILE = "running"
ABORTED_FILE = "aborted"
UNSAVED_FILE = "unsaved"
"""What the mark of a run is called if not even the reason could be saved: the disk was full."""
LATEST = "latest"
_LONGEST_REASON = 1 << 16
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}\Z", re.ASCII)


class RunFolder:
    """One run's folder, held by a lock for as long as the run lives.

    As a context it writes into the folder why an error left the run without evidence. After a refusal, before
    anything was begun, it leaves no folder.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and not asked((self.path / EVIDENCE_FILE).exists):
            self._note(error)
        self.close()
        if isinstance(error, UsageError):
            shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name: str, content: str | bytes, *, private: bool = False) -> Path:
        """Write a file of this run atomically, readable only for its owner if `private`; raises SaveError.

        A text that is not valid Unicode, such as a folder's name in Latin-1, is written out.
        """
        target = self.path / name
        data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
        write_atomically(target, data, private=private)
        return target

    def save_evidence(self, evidence: Evidence, spec_text: str) -> None:
        """Write everything that grading needs; if that fails, write it elsewhere.

        Raises:
            SaveError: It is not in the run's folder; the text says where it is, if it could be kept at all.
        """
        try:
            self._save_somewhere(evidence, spec_text.encode("utf-8", "backslashreplace"))
        except SaveError as error:
            self._note(error)
            raise

    def _save_somewhere(self, evidence: Evidence, spec: bytes) -> None:
        with _too_large(self.path):
            files = encoded(evidence, spec)
        try:
            _save(self.path, files, spec)
        except SaveError as error:
            kept = self._rescue(files, spec)
            raise SaveError(f"{error}; the run is kept in {kept}" if kept else str(error)) from error

    def _note(self, error: BaseException) -> None:
        """Leave the reason why this run has no evidence; on a full disk only a mark, which takes no space."""
        reason = f"{getattr(error, 'exit_code', 70)}\n{mask(str(error), hidden_in(error))}\n"
        try:
            self.write(ABORTED_FILE, reason, private=True)
        except SaveError:
            with suppress(OSError):
                (self.path / RUNNING_FILE).rename(self.path / UNSAVED_FILE)

    def _rescue(self, files: Files, spec: bytes) -> Path | None:
        """Write the evidence next to the run's folder, or in the temporary folder; returns the folder."""
        for parent in (self.path.parent, Path(tempfile.gettempdir())):
            with suppress(OSError, SaveError):
                folder = Path(tempfile.mkdtemp(prefix=f"{self.path.name}-", dir=parent))
                try:
                    _save(folder, files, spec)
                except SaveError:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise
                return folder
        return None

    def close(self) -> None:
        """Release the lock and remove the file that marks a run in progress."""
        if self._lock >= 0:
            with suppress(OSError):  # somebody removed it, or put something else in its place
                (self.path / RUNNING_FILE).unlink()
            with suppress(OSError):  # a broken disk
                os.close(self._lock)
            self._lock = -1


@contextmanager
def _too_large(folder: Path) -> Iterator[None]:
    """Raise SaveError for evidence that could not be read again."""
    try:
        yield
    except TooLargeError as error:
        raise SaveError(
            f"{folder}: the evidence is not kept, so this run cannot be graded again: it is too large to be "
            f"read back ({error}); run for a shorter time, or with fewer endpoints or limits"
        ) from error


def _save(folder: Path, files: Files, spec: bytes) -> None:
    """Write spec, counts and evidence for their owner only, the evidence last; raises SaveError.

    The spec is as the user wrote it, a password in it included.
    """
    with suppress(OSError):  # somebody removed the folder during the run
        folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / SPEC_FILE, spec, private=True)
    write_atomically(folder / RECORDING_FILE, files.recording, private=True)
    write_atomically(folder / EVIDENCE_FILE, files.evidence, private=True)


class Archive:
    """The folder that holds all runs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def probe(self, *, keep: bool = True) -> None:
        """Check before any load that a run can be saved here; raises UsageError.

        Without `keep` a folder that was not there is removed again.
        """
        probe = self.root / f".probe-{secrets.token_hex(4)}"
        folders = () if keep else (self.root, *self.root.parents)
        try:
            made = [path for path in folders if not path.exists()]
            self.root.mkdir(parents=True, exist_ok=True)
            try:
                write_atomically(probe, b"probe\n" * 1024)
            finally:
                probe.unlink(missing_ok=True)
            for path in made:
                path.rmdir()
        except (OSError, SaveError) as error:
            raise UsageError(
                f"{self.root}: reports cannot be written there ({reason_of(error)}); "
                "choose another folder with --reports DIR"
            ) from error

    def create(self, started: datetime) -> RunFolder:
        """Make a new run's folder, never one that exists; `started` is in UTC.

        The names of folders are in the order in which their runs began, even where the clock went back.
        """
        self._mark_orphans()
        while True:
            path = self.root / self._next_name(started)
            try:
                path.mkdir(mode=0o755)
            except FileExistsError:  # another process was faster
                continue
            except OSError as error:
                raise UsageError(f"{path}: cannot be created: {error.strerror}") from error
            return RunFolder(path, self._lock(path))

    def _next_name(self, started: datetime) -> str:
        name = f"{started:%Y%m%dT%H%M%SZ}-{started.microsecond << 4:06x}"
        runs = self.runs()
        return name if not runs or runs[-1].name < name else _following(runs[-1].name)

    def _lock(self, folder: Path) -> int:
        """Mark a new folder as that of a run in progress; raises UsageError."""
        try:
            return _locked(folder / RUNNING_FILE)
        except OSError as error:  # such as a file system without locks
            shutil.rmtree(folder, ignore_errors=True)
            raise UsageError(
                f"{folder}: cannot be locked: {error.strerror}; choose another folder with --reports DIR"
            ) from error

    def _mark_orphans(self) -> None:
        """Mark runs as aborted if their process has ended, so that nothing holds their lock."""
        with suppress(OSError):  # the folder cannot be read; whoever needs to read it says so
            for mark in self.root.glob(f"*/{RUNNING_FILE}"):
                with suppress(OSError):  # another process was faster, or the folder is another user's
                    if not _is_held(mark):
                        mark.rename(mark.with_name(ABORTED_FILE))

    def runs(self) -> list[Path]:
        """Return the folders of all runs, with and without a result, oldest first.

        Raises:
            UsageError: The folder cannot be read.
        """
        try:
            return sorted(path for path in self.root.iterdir() if is_run_name(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise UsageError(f"{self.root}: cannot be read: {error.strerror}") from error

    def find(self, run: str) -> Path:
        """Return the folder that `run` names: a folder, its evidence file, or ``latest``.

        Raises:
            UsageError: There is no such run.
            MeasurementError: It has no evidence: it was killed, came to nothing, or goes on. An older run's
                result is never taken for the latest one's.
        """
        if run == LATEST:
            runs = self.runs()
            if not runs:
                raise UsageError(f"{self.root}: no run is archived there; start one with `slocheck run`")
            folder = runs[-1]
        else:
            path = Path(run)
            candidates = (path.parent if asked(path.is_file) else path, self.root / run)
            folder = next((one for one in candidates if _is_run(one)), path)
        if has_evidence(folder):
            return folder
        if _is_run(folder):
            raise MeasurementError(f"{folder}: {why_no_evidence(folder)}; name another run, or run again")
        raise UsageError(
            f"{run}: no run is archived there; {self._meant(run)}name a run's folder, its {EVIDENCE_FILE}, "
            f"or `{LATEST}`"
        )

    def _meant(self, run: str) -> str:
        """Say which run was probably meant; empty if no name is similar."""
        close = get_close_matches(Path(run).name, [LATEST, *(path.name for path in self.runs())], n=1)
        return f"did you mean {close[0]}? Or " if close else ""


def has_evidence(folder: Path) -> bool:
    """Tell whether a folder holds the evidence of a run, as far as this user may know."""
    return asked((folder / EVIDENCE_FILE).is_file)


def _is_run(folder: Path) -> bool:
    marks = (EVIDENCE_FILE, RUNNING_FILE, ABORTED_FILE)
    by_name = is_run_name(folder.name) and asked(folder.is_dir)
    return by_name or any(asked((folder / name).is_file) for name in marks)


def shown_path(path: Path) -> str:
    """Return a path as the user would type it: relative to the working folder if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (OSError, ValueError):  # the working folder is gone, or it lies elsewhere
        return str(path)


def is_run_name(name: str) -> bool:
    """Tell whether this is the name of a run's folder."""
    return _RUN_ID.match(name) is not None


def _following(name: str) -> str:
    """Return the name of a run that began after another one."""
    stamp, _, number = name.partition("-")
    if number == "ffffff":
        raise UsageError(f"{name} has the last name that a run can have; move it out of the reports folder")
    return f"{stamp}-{int(number, 16) + 1:06x}"


def is_going_on(folder: Path) -> bool:
    """Tell whether a folder's run is in progress in a living process."""
    try:
        return _is_held(folder / RUNNING_FILE)
    except OSError:
        return False


def why_no_evidence(folder: Path) -> str:
    """Say why a run has no evidence."""
    if is_going_on(folder):
        return "this run is still going on"
    text = ""
    try:
        text = read_named(str(folder / ABORTED_FILE), most=_LONGEST_REASON).decode(errors="replace")
    except PermissionError as error:
        return f"it cannot be read: {error.strerror}"
    except OSError:
        pass
    code, _, reason = text.partition("\n")
    if code:
        return f"this run ended with exit code {code}: {reason.strip()}"
    unsaved = asked((folder / UNSAVED_FILE).exists)
    return "its result could not be saved" if unsaved else "this run was killed"


def _locked(mark: Path) -> int:
    """Make a file that is locked before others can see it; returns its descriptor."""
    unseen = mark.with_name(f".{mark.name}")
    lock = os.open(unseen, os.O_CREAT | os.O_RDWR, 0o644)
    fcntl.flock(lock, fcntl.LOCK_EX)
    unseen.rename(mark)
    return lock


def _is_held(mark: Path) -> bool:
    """Tell whether a living process holds the lock of a file; raises OSError if it cannot be opened."""
    try:
        descriptor = os.open(mark, os.O_RDWR)
    except PermissionError:  # it is another user's
        descriptor = os.open(mark, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def load_evidence(folder: Path, name: str = EVIDENCE_FILE) -> Evidence:
    """Read a run back, or what it itself left; raises UsageError when it is damaged or of another version."""
    path, counts = folder / name, folder / RECORDING_FILE
    return decoded(path, read_bounded(path, MAX_FILE), lambda: read_bounded(counts, MAX_COUNTS_FILE))


def replace_evidence(folder: Path, evidence: Evidence) -> None:
    """Replace a run's evidence by a completed one and keep the original; raises SaveError.

    The counts stay as they are: packed again by another zlib, the same counts are other bytes.
    """
    path, spec = folder / EVIDENCE_FILE, load_spec_text(folder)
    original = folder / ORIGINAL_FILE
    if not original.exists():
        write_atomically(original, read_bounded(path, MAX_FILE), private=True)
    counts = read_bounded(folder / RECORDING_FILE, MAX_COUNTS_FILE)
    with _too_large(folder):
        content = evidence_of(evidence, spec, counts)
    write_atomically(path, content, private=True)


def load_spec_text(folder: Path) -> bytes:
    """Return the spec of a run; raises UsageError if it is not the archived one."""
    path = folder / SPEC_FILE
    written = read_bounded(path, MAX_BYTES)
    if not fits_spec(read_bounded(folder / EVIDENCE_FILE, MAX_FILE), written):
        raise UsageError(f"damaged, or changed since: its checksum is not the one in {EVIDENCE_FILE}")
    return written
