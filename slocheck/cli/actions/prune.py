"""What ``slocheck prune`` does: decide about each old run, and remove what may be removed."""

from pathlib import Path

from slocheck.cli.actions.runs import archive_at
from slocheck.cli.messages import say
from slocheck.cli.output import print_lines
from slocheck.documents.words import quantity
from slocheck.pipeline.archive import Archive, shown_path
from slocheck.pipeline.earlier.prune import fates, newest_valid, remove, unused_specs
from slocheck.reporters import FORMATS


def prune_runs(*, keep: int, reports: Path, dry_run: bool) -> int:
    """Remove old runs, and say what was done with each; returns the exit code. Raises SaveError."""
    archive = archive_at(reports)
    found = fates(archive, keep, [item.file_name for item in FORMATS.values()])
    unused = unused_specs(archive, [fate.folder for fate in found if not fate.kept_because])
    removed = 0
    for fate in found:
        path = shown_path(fate.folder)
        if fate.kept_because:
            say(f"kept {path}: {fate.kept_because}")
            continue
        if not dry_run:
            remove(fate.folder)
        print_lines([f"{'would remove' if dry_run else 'removed'} {path}"])
        removed += 1
    for spec in unused:
        if not dry_run:
            remove(spec)
        print_lines([f"{'would remove' if dry_run else 'removed'} {shown_path(spec)}"])
    said = "would be removed" if dry_run else "removed"
    print_lines([f"{quantity(removed, 'run')} {said}; {_kept(archive, keep)}"])
    return 0


def _kept(archive: Archive, keep: int) -> str:
    """Say which runs are kept, and that there are fewer valid ones than are to be kept."""
    there = len(newest_valid(archive, keep))
    if there < keep:
        are = f"there {'is' if there == 1 else 'are'} only {quantity(there, 'valid run')}"
        return f"{are}, and {keep:,} {'is' if keep == 1 else 'are'} to be kept"
    return f"the newest {quantity(keep, 'valid run')} {'is' if keep == 1 else 'are'} kept"
