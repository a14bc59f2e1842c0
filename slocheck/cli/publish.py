"""Copies of a run's reports under fixed names, for a CI server to collect, whatever the run's folder is."""

from collections.abc import Mapping
from pathlib import Path

from slocheck.errors import SaveError, UsageError
from slocheck.named_files import write_atomically
from slocheck.reporters import RUN_FILES


def make_room(folder: Path) -> None:
    """Remove an earlier run's copies, which a refused run would seem to have made; raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item in RUN_FILES.values():
            (folder / item.file_name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"--publish: {folder} cannot be written: {error.strerror}; name another folder"
        ) from error


def publish(folder: Path, files: Mapping[str, str]) -> None:
    """Copy reports into a folder; `files` are their paths by format. Raises SaveError."""
    for name, path in files.items():
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise SaveError(f"{path}: cannot be read: {error.strerror}") from error
        write_atomically(folder / RUN_FILES[name].file_name, content)
