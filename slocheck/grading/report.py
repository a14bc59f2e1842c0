"""What every reporter is given."""

from dataclasses import dataclass

from slocheck.comparison.model import Comparison, RunRecord
from slocheck.evidence.model import Evidence
from slocheck.grading.assessment import Assessment
from slocheck.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Report:
    """A graded run.

    Attributes:
        spec: What it was graded against, overrides applied.
        evidence: What was measured.
        assessment: The verdict.
        folder: The run's folder as the user sees it.
        record: What later runs are compared with; None if it was not asked for.
        comparison: The change since earlier runs; None if there are none that can be compared.
    """

    spec: Spec
    evidence: Evidence
    assessment: Assessment
    folder: str
    record: RunRecord | None = None
    comparison: Comparison | None = None
