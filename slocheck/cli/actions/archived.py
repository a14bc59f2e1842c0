"""What ``slocheck grade`` and ``slocheck report`` do: archived runs again, without load."""

from collections.abc import Sequence
from pathlib import Path

from slocheck.cli import output
from slocheck.errors import UsageError
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.regrade import regrade
from slocheck.reporters import FORMATS


def grade(
    runs: Sequence[str], *, spec: Path | None, gate: str | None, reports: Path, as_json: bool, verbose: bool
) -> int:
    """Grade runs as one sample and print the result; returns the exit code. Nobody is asked for anything."""
    report = regrade(runs, Archive(reports), spec=spec, gate=gate)
    output.print_result(report, as_json=as_json, paths={}, verbose=verbose)
    return report.assessment.exit_code


def report(run: str, *, format_name: str, to: Path | None, spec: Path | None, reports: Path) -> int:
    """Write one report of a run to a file or to stdout; returns the exit code."""
    if format_name not in FORMATS:
        raise UsageError(f"--format {format_name}: not a format; write one of {', '.join(FORMATS)}")
    chosen = FORMATS[format_name]
    text = chosen.render(regrade([run], Archive(reports), spec=spec))
    output.write_out(text, to, utf8_only=chosen.utf8_only)
    return 0
