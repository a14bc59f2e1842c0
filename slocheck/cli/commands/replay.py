"""``slocheck grade`` and ``slocheck report``: archived runs again, without load."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slocheck.cli.commands.run import DEFAULT_REPORTS, Json, Reports
from slocheck.errors import UsageError

if TYPE_CHECKING:
    from slocheck.evidence.model import Evidence
    from slocheck.grading.report import Report
    from slocheck.spec.model import Spec

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its evidence file, or `latest`.")]


def grade(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...", help="A run's folder, its evidence file, or `latest`; several are pooled."
        ),
    ],
    *,
    spec: Annotated[
        Path | None, typer.Option(metavar="SPEC", help="Grade against this spec, not the archived one.")
    ] = None,
    gate: Annotated[str | None, typer.Option(metavar="TIER", help="The tier to hold.")] = None,
    reports: Reports = DEFAULT_REPORTS,
    json: Json = False,
) -> int:
    """Grade archived runs again; the archive is not changed. Several runs are one larger sample."""
    from slocheck.cli import output  # noqa: PLC0415 - --help stays light

    report = _regrade(runs, reports=reports, spec=spec, gate=gate)
    output.print_result(report, as_json=json, paths={})
    return report.assessment.exit_code


def report(
    run: Run,
    *,
    format: Annotated[  # noqa: A002 - the flag's name is the contract's
        str, typer.Option("--format", metavar="FORMAT", help="html, json, junit or markdown.")
    ] = "html",
    to: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here instead of stdout.")
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(metavar="SPEC", help="Grade against this spec, not the archived one.")
    ] = None,
    reports: Reports = DEFAULT_REPORTS,
) -> int:
    """Write one report of an archived run."""
    from slocheck.masking import masked, secrets_of  # noqa: PLC0415
    from slocheck.pipeline.archive import write_atomically  # noqa: PLC0415 - --help stays light
    from slocheck.reporters import FORMATS  # noqa: PLC0415

    if format not in FORMATS:
        raise UsageError(f"--format {format}: not a format; write one of {', '.join(FORMATS)}")
    graded = _regrade([run], reports=reports, spec=spec, gate=None)
    text = FORMATS[format].render(masked(graded, secrets_of(graded.spec)))
    if to is None:
        typer.echo(text, nl=not text.endswith("\n"))
    else:
        write_atomically(to, text.encode())
    return 0


def _regrade(runs: list[str], *, reports: Path, spec: Path | None, gate: str | None) -> "Report":
    """Load runs and grade them against the spec of the first one, or against another one."""
    from slocheck.grading.assess import assess  # noqa: PLC0415
    from slocheck.grading.report import Report  # noqa: PLC0415
    from slocheck.indicators.pooling import pooled  # noqa: PLC0415
    from slocheck.pipeline.archive import Archive, load_evidence  # noqa: PLC0415
    from slocheck.pipeline.run import shown_path  # noqa: PLC0415
    from slocheck.spec.loader import load_spec, with_overrides  # noqa: PLC0415
    from slocheck.spec.model import Overrides  # noqa: PLC0415

    archive = Archive(reports)
    folders = [archive.find(run) for run in runs]
    several = [load_evidence(each) for each in folders]
    if len({each.provenance.run_id for each in several}) < len(several):
        raise UsageError(
            f"{' '.join(runs)}: names one run twice; a run pooled with itself proves nothing more"
        )
    folder = folders[0]
    evidence = several[0]
    _check_alike(folders, several)
    chosen = Overrides(gate=gate)
    loaded = _archived_spec(folder, evidence) if spec is None else load_spec(spec)
    loaded = with_overrides(loaded, chosen)
    assessment = assess(loaded, *several)
    shown = evidence if len(several) == 1 else pooled(several)
    return Report(loaded, shown, assessment, " ".join(shown_path(each) for each in folders))


def _check_alike(folders: list[Path], runs: "list[Evidence]") -> None:
    """Raise UsageError where runs are no samples of one thing."""
    from slocheck.indicators.comparability import differences  # noqa: PLC0415 - --help stays light

    if len(runs) == 1:
        return
    first, *others = [
        (_archived_spec(folder, run), run.provenance) for folder, run in zip(folders, runs, strict=True)
    ]
    for folder, other in zip(folders[1:], others, strict=True):
        if told := "; ".join(differences(first, other)):
            raise UsageError(
                f"{folder.name} is no second sample of what {folders[0].name} measured: {told}; "
                "only runs of the same load on the same target can be pooled, so grade each by itself"
            )


def _archived_spec(folder: Path, evidence: "Evidence") -> "Spec":
    """Return the spec that a run was made with, its overrides applied; raises UsageError."""
    from slocheck.pipeline.archive import SPEC_FILE  # noqa: PLC0415 - --help stays light
    from slocheck.spec.loader import parse_spec, with_overrides  # noqa: PLC0415

    path = folder / SPEC_FILE
    try:
        archived = parse_spec(path.read_bytes(), evidence.provenance.spec_path, environment=None)
    except (OSError, UsageError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"{path}: the spec that the run was made with cannot be read ({reason}); "
            "grade the run by itself, with --spec SPEC"
        ) from error
    return with_overrides(archived, evidence.overrides)
