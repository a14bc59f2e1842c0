"""What ``slocheck grade`` and ``slocheck report`` do: archived runs again, without load."""

import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from slocheck.cli import output
from slocheck.cli.messages import say
from slocheck.documents.reader import unknown
from slocheck.errors import UsageError
from slocheck.pipeline.archive import LATEST, Archive, has_evidence, shown_path, why_no_evidence
from slocheck.pipeline.regrade import regrade
from slocheck.reporters import FORMATS
from slocheck.reporters.escape import for_terminal


def newest_run(reports: Path) -> str:
    """Return the run to report if none is named: the newest with evidence.

    If a newer one has none, a note says which was taken, and why. If no run has any, it is ``latest``. A
    verdict is never taken from an older run: if the exit code is one, ``latest`` is meant.
    """
    runs = Archive(reports).runs()
    found = next((run for run in reversed(runs) if has_evidence(run)), None)
    if found is None:
        return LATEST
    if found != runs[-1]:
        say(f"{shown_path(runs[-1])}: {why_no_evidence(runs[-1])}; using {shown_path(found)}")
    return str(found)


def grade(
    runs: Sequence[str], *, spec: Path | None, gate: str | None, reports: Path, as_json: bool, verbose: bool
) -> int:
    """Grade runs as one sample and print the result; returns the exit code. No metric source is queried."""
    report = regrade(runs or [LATEST], Archive(reports), spec=spec, gate=gate)
    output.print_result(report, as_json=as_json, paths={}, verbose=verbose)
    return report.assessment.exit_code


@dataclass(frozen=True, slots=True)
class Wanted:
    """The requested report, as typed.

    Attributes:
        run: A run's folder, its evidence file, or ``latest``; empty: the newest with evidence, but ``latest``
            if the exit code is the verdict.
        format_name: Of `FORMATS`.
        to: The file; None: stdout, or a temporary file if it is to be opened.
        show: Whether to open it.
        spec: Another spec to grade by.
        gate: Exit with the verdict's code, of this tier; empty: the spec's gate; None: exit with 0.
        reports: The folder that keeps runs.
    """

    run: str
    format_name: str
    to: Path | None
    show: bool
    spec: Path | None
    gate: str | None
    reports: Path


def report(wanted: Wanted) -> int:
    """Write one report of a run to a file or to stdout, open it on request; returns the exit code.

    Raises:
        UsageError: There is no such run or format, or a page would be printed to a terminal.
        SaveError: It cannot be written.
    """
    if wanted.format_name not in FORMATS:
        raise UsageError(f"--format: {unknown('format', wanted.format_name, FORMATS)}")
    chosen, to = FORMATS[wanted.format_name], wanted.to
    if wanted.show and to is None:
        to = Path(mkdtemp(prefix="slocheck-")) / chosen.file_name
    if to is None and wanted.format_name == "html" and sys.stdout.isatty():
        raise UsageError(
            "a page of HTML is not for a terminal; add --open, or -o report.html (-o - prints it anyway)"
        )
    run = wanted.run or (newest_run(wanted.reports) if wanted.gate is None else LATEST)
    graded = regrade([run], Archive(wanted.reports), spec=wanted.spec, gate=wanted.gate or None)
    output.write_out(chosen.render(graded), to, utf8_only=chosen.utf8_only)
    if wanted.show and to is not None:
        _open(to)
    return 0 if wanted.gate is None else graded.assessment.exit_code


def _open(file: Path) -> None:
    """Open a file in a browser; if there is none, say if the file is."""
    print(for_terminal(str(file)))
    if not webbrowser.open(file.resolve().as_uri()):
        say("no browser could be started; open the file yourself, or name one in BROWSER")
