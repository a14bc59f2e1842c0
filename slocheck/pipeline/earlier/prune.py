"""Removes old runs: only slocheck's own folders, and only if they hold nothing else."""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from slocheck.documents.yaml_tree import MAX_BYTES
from slocheck.errors import SaveError, UsageError, reason_of
from slocheck.named_files import read_named
from slocheck.pipeline.archive import (
    ABORTED_FILE,
    EVIDENCE_FILE,
    ORIGINAL_FILE,
    RUNNING_FILE,
    SPEC_FILE,
    UNSAVED_FILE,
    Archive,
    is_going_on,
)
from slocheck.pipeline.earlier.reading import read_record
from slocheck.pipeline.evidence_file import RECORDING_FILE
from slocheck.pipeline.scenario_log import LOG_FILE

_LEFT_BY_A_KILL = re.compile(r"\.slocheck-[0-9a-f]{16}|\." + re.escape(RUNNING_FILE))
"""Endings of files that were not renamed yet."""
_DIGITS = 8
"""Length of the checksum in the name of a spec."""
_OWN_FILES = frozenset(
    {EVIDENCE_FILE, RECORDING_FILE, ORIGINAL_FILE, SPEC_FILE}
    | {RUNNING_FILE, ABORTED_FILE, UNSAVED_FILE, LOG_FILE}
)


@dataclass(frozen=True, slots=True)
class Fate:
    """The decision about an old run's folder.

    Attributes:
        folder: The folder.
        kept_because: Why it is kept; empty: it is removed.
    """

    folder: Path
    kept_because: str = ""


def fates(archive: Archive, keep: int, reports: Collection[str]) -> list[Fate]:
    """Decide about the runs before the newest `keep` valid ones, oldest first.

    Args:
        archive: Where runs are kept.
        keep: How many valid runs to keep, 1 or more. Others do not count, so that bad nights cost no good
            run: invalid and interrupted runs, and those without a result that can be read. Those before the
            oldest valid run that is kept go.
        reports: Names of the reports' files.
    """
    runs, valid = archive.runs(), newest_valid(archive, keep)
    if len(valid) < keep:
        return []
    own = _OWN_FILES | frozenset(reports)
    return [Fate(run, _why_kept(run, own)) for run in runs[: runs.index(valid[-1])]]


def newest_valid(archive: Archive, most: int) -> list[Path]:
    """Return at most that many of the newest valid runs, newest first."""
    return list(islice(filter(_is_valid, reversed(archive.runs())), most))


def url_spec_name(text: bytes) -> str:
    """Return the name of a spec written for an address: it follows from its text."""
    return f"url-{hashlib.sha256(text).hexdigest()[:_DIGITS]}.yaml"


def is_url_spec(path: str, text: str) -> bool:
    """Tell whether a spec was written for an address, by slocheck and not by hand."""
    return Path(path).name == url_spec_name(text.encode())


def unused_specs(archive: Archive, gone: Collection[Path]) -> list[Path]:
    """Return the specs of `run --url` that no kept run was made with, in the order of their names.

    A spec that somebody changed stays, and so do all that are newer than the oldest kept run: a run that is
    about to begin has no folder yet.

    Args:
        archive: Where runs are kept.
        gone: Folders of runs that do not count as kept.
    """
    kept = [run for run in archive.runs() if run not in gone]
    if not kept or not gone:
        return []
    before = kept[0].stat().st_mtime
    names = {url_spec_name(content) for run in kept if (content := _content(run / SPEC_FILE)) is not None}
    found = (path for path in sorted(archive.root.glob("url-*.yaml")) if path.name not in names)
    return [path for path in found if _is_as_written(path) and path.stat().st_mtime < before]


def _is_as_written(spec: Path) -> bool:
    if spec.is_symlink() or not spec.is_file():
        return False
    content = _content(spec)
    return content is not None and spec.name == url_spec_name(content)


def _content(spec: Path) -> bytes | None:
    """Return the text of a spec; None if it cannot be read."""
    try:
        return read_named(str(spec), most=MAX_BYTES)
    except (OSError, ValueError):
        return None


def remove(folder: Path) -> None:
    """Remove a folder and the files in it, each by name, or a file; raises SaveError."""
    try:
        if not folder.is_dir():
            folder.unlink()
            return
        # the evidence goes last: without it, a leftover folder would no longer be a run
        for path in sorted(folder.iterdir(), key=lambda path: path.name == EVIDENCE_FILE):
            path.unlink()
        folder.rmdir()
    except OSError as error:
        raise SaveError(f"{folder}: cannot be removed: {reason_of(error)}") from error


def _is_valid(folder: Path) -> bool:
    """Tell whether a run's result says that its measurement was valid and ran to the end."""
    try:
        return read_record(folder).valid
    except UsageError:
        return False


def _why_kept(folder: Path, own: frozenset[str]) -> str:
    """Say why a folder is kept; empty if it is a run's and holds only slocheck's files."""
    if folder.is_symlink() or not folder.is_dir():
        return "it is a link, or not a folder"
    if is_going_on(folder):
        return "this run is still going on"
    try:
        foreign = sorted(_foreign(folder, own))
    except OSError as error:
        return f"it cannot be read: {reason_of(error)}"
    if foreign:
        return f"slocheck did not write {', '.join(foreign[:3])}{' and more' if len(foreign) > 3 else ''}"  # noqa: PLR2004
    return ""


def _foreign(folder: Path, own: frozenset[str]) -> Iterator[str]:
    """Yield the names of what slocheck did not write; a kill leaves files without their name, or none."""
    for path in folder.iterdir():
        of = path.name if path.name in own else path.name.removeprefix(".").rpartition(".")[0]
        ours = of in own or _LEFT_BY_A_KILL.fullmatch(path.name)
        if not ours or path.is_symlink() or not path.is_file():
            yield path.name
