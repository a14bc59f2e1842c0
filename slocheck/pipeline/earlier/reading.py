"""The records of archived runs, read from their ``result.json`` and nothing larger."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from slocheck.comparison.model import RunRecord
from slocheck.comparison.reading import UnreadableError, record_of
from slocheck.errors import UsageError, reason_of
from slocheck.masking import environment_secrets, mask, masked
from slocheck.named_files import asked, read_named
from slocheck.pipeline.archive import Archive, has_evidence, is_run_name, shown_path, why_no_evidence

RESULT_FILE = "result.json"
MAX_RESULT = 1 << 22
"""Bytes of a result; with 500 endpoints and 50 objectives it has a tenth of this."""


MOST_READ = 100
"""Folders that are looked through for runs that can be compared, newest first."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A run without a record.

    Attributes:
        run_id: Name of its folder.
        why: What became of it, or what is wrong with its result, and what to do.
    """

    run_id: str
    why: str


def newest_first(archive: Archive) -> Iterator[RunRecord | Unread]:
    """Yield the record of each run of an archive, or why it has none; each is read on demand."""
    for folder in reversed(archive.runs()):
        try:
            yield read_record(folder)
        except UsageError as error:
            yield Unread(folder.name, mask(str(error), environment_secrets()))


def newest(archive: Archive, most: int, *, service: str = "") -> list[RunRecord | Unread]:
    """Return up to `most` runs of an archive, oldest first; those without a record only without a service."""
    found: list[RunRecord | Unread] = []
    for run in newest_first(archive):
        if not service or (isinstance(run, RunRecord) and run.conditions.service == service):
            found.append(run)
        if len(found) >= most:
            break
    return found[::-1]


def read_record(folder: Path) -> RunRecord:
    """Return the record of a run, secrets of the environment masked.

    Raises:
        UsageError: It has none; the text says why, without the folder's name.
    """
    document = read_document(folder)
    try:
        record = record_of(document, shown_path(folder))
    except UnreadableError as error:
        raise UsageError(_again(folder, str(error))) from error
    if record.run_id != folder.name:
        raise UsageError(_again(folder, f"it is the result of {record.run_id:.40}"))
    return masked(record, environment_secrets())


def read_document(folder: Path) -> Any:
    """Return the result of a run as it was parsed, which may be anything; raises UsageError."""
    path = folder / RESULT_FILE
    try:
        return json.loads(read_named(str(path), most=MAX_RESULT), parse_constant=_no_constant)
    except FileNotFoundError:
        damaged = has_evidence(folder)
        raise UsageError(_again(folder, "it is not there") if damaged else why_no_evidence(folder)) from None
    except OSError as error:
        raise UsageError(_again(folder, f"it cannot be read: {reason_of(error)}")) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(_again(folder, f"it is damaged: {error!s:.80}")) from error


def read_runs(name: str, archive: Archive) -> list[RunRecord]:
    """Return the records of what a name stands for, oldest first: one run, or the newest of a folder.

    Args:
        name: A run's folder or its result, the name of a run in the archive, or a folder that holds runs.
        archive: Where runs are kept.

    Raises:
        UsageError: There is nothing of that name, or the run has no record.
    """
    path = Path(name)
    if folder := run_folder(name, archive):
        try:
            return [read_record(folder)]
        except UsageError as error:
            raise UsageError(f"{folder}: {error}") from error
    if asked(path.is_dir):
        read = islice(newest_first(Archive(path)), MOST_READ)
        if runs := [run for run in read if isinstance(run, RunRecord)]:
            return runs[::-1]
    raise UsageError(
        f"{name}: no run is archived there; name a run's folder, or a folder that holds folders of runs"
    )


def run_folder(name: str, archive: Archive) -> Path | None:
    """Return the folder of the single run that a name stands for; None if there is none."""
    path = Path(name)
    for folder in (path.parent if asked(path.is_file) else path, archive.root / name):
        if asked(folder.is_dir) and is_run_name(folder.resolve().name):
            return folder.resolve()
    return None


def _again(folder: Path, why: str) -> str:
    """Say what is wrong with a run's result, and how to write it anew."""
    if not has_evidence(folder):
        return f"{RESULT_FILE}: {why}"
    path = shlex.quote(shown_path(folder))
    return (
        f"{RESULT_FILE}: {why}; write it again: slocheck report {path} --format json -o {path}/{RESULT_FILE}"
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
