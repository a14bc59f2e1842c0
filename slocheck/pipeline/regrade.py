"""The steps of grading archived runs again, without load; the archive is not changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slocheck.comparison.model import RunRecord
from slocheck.errors import UsageError
from slocheck.evidence.model import Evidence
from slocheck.evidence.warnings import NOT_COMPARED, RunWarning
from slocheck.grading.assess import assess
from slocheck.grading.regression import with_regressions
from slocheck.grading.report import Report
from slocheck.grading.run_record import run_record
from slocheck.indicators.comparability import differences
from slocheck.indicators.pooling import pooled
from slocheck.masking import masked, secrets_of
from slocheck.pipeline.archive import SPEC_FILE, Archive, load_evidence, load_spec_text, shown_path
from slocheck.pipeline.earlier.baseline import Since, SinceRuns
from slocheck.pipeline.earlier.remembered import Remembered
from slocheck.spec.loader import load_spec, parse_spec, with_overrides
from slocheck.spec.model import Overrides, Spec
from slocheck.statistics.blocking import MIN_RUNS


@dataclass(frozen=True, slots=True)
class ArchivedRun:
    """A run read from the archive.

    Attributes:
        folder: Its folder.
        evidence: What was measured.
    """

    folder: Path
    evidence: Evidence

    def spec(self, environment: Mapping[str, str] | None = None) -> Spec:
        """Return the spec that the run was made with, its overrides applied; raises UsageError.

        Args:
            environment: What ``${NAME}`` in it expands from; None: it stays as written, for grading.
        """
        path = self.folder / SPEC_FILE
        try:
            written = load_spec_text(self.folder)
            archived = parse_spec(written, self.evidence.provenance.spec_path, environment=environment)
        except UsageError as error:
            raise UsageError(
                f"{path}: the spec that the run was made with cannot be read ({error}); "
                "grade the run by itself, with --spec SPEC"
            ) from error
        return with_overrides(archived, self.evidence.overrides)


def regrade(
    names: Sequence[str],
    archive: Archive,
    *,
    spec: Path | None = None,
    gate: str | None = None,
    complete: Callable[[ArchivedRun], ArchivedRun] = lambda run: run,
) -> Report:
    """Grade runs again; several are graded as one larger sample.

    Args:
        names: Each a run's folder, its evidence file, or ``latest``.
        archive: Where runs are kept.
        spec: Grade against this spec; None: against the first run's.
        gate: Use this tier as the gate; None: the spec's.
        complete: Returns a run after asking its metric source again; by default it is not asked.

    Raises:
        UsageError: A run cannot be read, is named twice, or is not comparable with the first one; or there
            are too few runs to pool.
    """
    folders = [archive.find(name) for name in names]
    runs = [complete(ArchivedRun(folder, load_evidence(folder))) for folder in folders]
    if len({run.evidence.provenance.run_id for run in runs}) < len(runs):
        raise UsageError(f"{' '.join(names)}: one run is named twice; pooled with itself it proves no more")
    _check_comparable(runs)
    loaded = runs[0].spec() if spec is None else load_spec(spec)
    loaded = with_overrides(loaded, Overrides(gate=gate))
    if 1 < len(runs) < MIN_RUNS and loaded.confidence is not None:
        raise UsageError(
            f"{' '.join(names)}: {len(runs)} runs cannot show how much runs differ, so as one sample they "
            f"would claim more than they prove; pool {MIN_RUNS} or more, or grade each by itself"
        )
    alone = Remembered(folders[0]) if len(runs) == 1 else _nothing
    return graded(loaded, [run.evidence for run in runs], folders, secrets=secrets_of(loaded), since=alone)


def _nothing(_: RunRecord) -> Since:
    """Compare with nothing."""
    return Since()


def _check_comparable(runs: Sequence[ArchivedRun]) -> None:
    """Raise UsageError if runs did not measure the same thing."""
    first, *others = runs
    for other in others:
        changes = differences(
            (first.spec(), first.evidence.provenance), (other.spec(), other.evidence.provenance)
        )
        if text := "; ".join(changes):
            raise UsageError(
                f"{other.folder.name} and {first.folder.name} did not measure the same thing: {text}; "
                "only runs of the same load on the same target can be pooled, so grade each by itself"
            )


def graded(
    spec: Spec,
    runs: Sequence[Evidence],
    folders: Sequence[Path],
    *,
    secrets: Sequence[str],
    since: SinceRuns = _nothing,
) -> Report:
    """Grade runs as one sample.

    Args:
        spec: What they are graded against, overrides applied.
        runs: One or more runs of the same load on the same target.
        folders: Their folders, in the same order.
        secrets: What must not show in the report.
        since: Compares the run with earlier ones; by default with none.
    """
    evidence = runs[0] if len(runs) == 1 else pooled(runs)
    names = " ".join(shown_path(folder) for folder in folders)
    shown = masked(spec, secrets)  # masked like the evidence, so that what the spec names is found in it
    assessment = assess(shown, *runs)
    record = run_record(shown, evidence, assessment, names)
    found = since(record)
    if found.warning:
        warning = RunWarning(NOT_COMPARED, found.warning)
        assessment = replace(assessment, warnings=(*assessment.warnings, warning))
    if found.comparison is not None:
        assessment = with_regressions(assessment, found.comparison)
        record = replace(record, outcome=assessment.outcome.value)
    return masked(Report(shown, evidence, assessment, names, record, found.comparison), secrets)
