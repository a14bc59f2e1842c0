"""The values of ``--baseline`` and ``--max-regression``, checked before any load."""

from pathlib import Path

from slocheck.comparison.compare import DEFAULT_MARGIN
from slocheck.documents.units import UnitError, parse_percentage
from slocheck.errors import UsageError
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.earlier.baseline import Baseline, planned_conditions
from slocheck.scenario.model import Scenario
from slocheck.spec.model import Spec


def baseline_of(
    name: str | None, max_regression: str | None, *, reports: Path, spec: Spec, scenario: Scenario | None
) -> Baseline | None:
    """Return what a run is to be compared with; None if nothing was asked for.

    Raises:
        UsageError: It does not exist, or cannot be compared with the planned run.
    """
    if name is None:
        if max_regression is not None:
            raise UsageError(
                "--max-regression goes with --baseline; name a run, a folder of runs, or `latest`"
            )
        return None
    baseline = Baseline(name, Archive(reports), margin_of(max_regression))
    baseline.check(planned_conditions(spec, scenario))
    return baseline


def margin_of(text: str | None) -> float:
    """Return how much worse an objective may get: ``10%`` is 0.1; raises UsageError."""
    try:
        return DEFAULT_MARGIN if text is None else float(parse_percentage(text))
    except UnitError as error:
        raise UsageError(f"--max-regression: {error}") from error
