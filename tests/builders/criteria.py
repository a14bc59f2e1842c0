"""Criteria for tests of the statistics."""

from slocheck.statistics.confidence import Criterion


def at(alpha: float) -> Criterion:
    """Return a criterion with one error rate for both ends of an interval."""
    return Criterion(alpha, alpha)
