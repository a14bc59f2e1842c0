"""Removes old runs: only slocheck's own folders, and only if they hold nothing else."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from slocheck.errors import SaveError, UsageError
from slocheck.pipeline.archive import (
    ABORTED_FILE,
    EVIDENCE_FILE,
    ORIGINAL_FILE,
    RUNNING_FILE,
    SPEC_FILE,
    Archive,
    is_going_on,
)
from slocheck.pipeline.earlier.reading import read_record
from slocheck.pipeline.evidence_file import RECORDING_FILE
from slocheck.pipeline.scenario_log import LOG_FILE

_OWN_FILES = frozenset(
    {EVIDENCE_FILE, RECORDING_FILE, ORIGINAL_FILE, SPEC_FILE, RUNNING_FILE, ABORTED_FILE, LOG_FILE}
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
    runs = archive.runs()
    valid = list(islice(filter(_is_valid, reversed(runs)), keep))
    if len(valid) < keep:
        return []
    own = _OWN_FILES | frozenset(reports)
    return [Fate(run, _why_kept(run, own)) for run in runs[: runs.index(valid[-1])]]


def remove(folder: Path) -> None:
    """Remove a folder and the files in it, each by name; raises SaveError."""
    try:
        # the evidence goes last: without it, a leftover folder would no longer be a run
        for path in sorted(folder.iterdir(), key=lambda path: path.name == EVIDENCE_FILE):
            path.unlink()
        folder.rmdir()
    except OSError as error:
        raise SaveError(f"{folder}: cannot be removed: {error.strerror or error}") from error


def _is_valid(folder: Path) -> bool:
    """Tell whether a run's result says that its measurement was valid and went to its end."""
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
        return f"it cannot be read: {error.strerror or error}"
    if foreign:
        return f"slocheck did not write {', '.join(foreign[:3])}{' and more' if len(foreign) > 3 else ''}"  # noqa: PLR2004
    return ""


def _foreign(folder: Path, own: frozenset[str]) -> Iterator[str]:
    """Yield the names of what slocheck did not write; a kill leaves `.name.` with random letters."""
    names = [path.name for path in folder.iterdir()]
    if not set(names) & own:
        yield "anything in it"
    for path in folder.iterdir():
        of = path.name if path.name in own else path.name.removeprefix(".").rpartition(".")[0]
        if of not in own or path.is_symlink() or not path.is_file():
            yield path.name
