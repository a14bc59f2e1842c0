"""What a change for the worse does to a verdict: a run that would pass fails, if the change is proven."""

from dataclasses import replace

from slocheck.comparison.model import Comparison
from slocheck.comparison.words import regression_sentence
from slocheck.grading.assessment import Assessment, Outcome
from slocheck.grading.outcome import EXIT_CODES

_MAY_FAIL = frozenset({Outcome.PASS, Outcome.UNDECIDED})


def with_regressions(assessment: Assessment, comparison: Comparison) -> Assessment:
    """Return the assessment, as failed if the comparison gates and proves a change for the worse.

    What failed already, was invalid or was interrupted stays as it was. Nothing that a comparison says lets a
    run pass.
    """
    if not comparison.gates or not comparison.regressions or assessment.outcome not in _MAY_FAIL:
        return assessment
    return replace(
        assessment,
        outcome=Outcome.FAIL,
        exit_code=EXIT_CODES[Outcome.FAIL],
        headline=regression_sentence(comparison),
        regressed=True,
    )
