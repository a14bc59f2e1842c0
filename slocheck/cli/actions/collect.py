"""What ``slocheck grade --collect`` does: ask the metric sources of archived runs again, then grade."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from slocheck.cli import output
from slocheck.cli.messages import say
from slocheck.cli.options import allowed_metrics
from slocheck.cli.wiring import source_factory
from slocheck.pipeline.archive import LATEST, Archive
from slocheck.pipeline.interrupts import Interrupted, Interrupts
from slocheck.pipeline.late_collection import LateCollector
from slocheck.pipeline.regrade import regrade
from slocheck.reporters import RUN_FILES


def collect_and_grade(
    runs: Sequence[str],
    *,
    spec: Path | None,
    gate: str | None,
    reports: Path,
    as_json: bool,
    verbose: bool,
    allow_metrics: Sequence[str] | None,
) -> int:
    """Ask the metric source of each run for what it did not deliver, then grade as `grade` does.

    Raises:
        SaveError: What was found could not be saved; the summary is on stderr.
        Interrupted: A signal came while it was saved, which is whole.
    """
    with Interrupts() as interrupts:
        collector = LateCollector(
            source_factory(allowed_metrics(allow_metrics)),
            tuple(RUN_FILES.values()),
            os.environ,
            interrupts,
            tell=say,
        )
        names = runs or [LATEST]
        report = regrade(names, Archive(reports), spec=spec, gate=gate, complete=collector.complete)
    if collector.save_error is not None:
        output.print_summary(report, Console(stderr=True), paths={})
        raise collector.save_error
    output.print_result(report, as_json=as_json, paths={}, verbose=verbose)
    if interrupts.received:
        raise Interrupted(interrupts.received)
    return report.assessment.exit_code
