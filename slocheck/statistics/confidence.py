"""From a stated confidence to the error rate that intervals are computed at."""

from fractions import Fraction

CALIBRATION = 5
"""Intervals are computed at (1 - confidence) / 5: found by simulation, see docs/statistics.md."""


def alpha_for(confidence: Fraction) -> float:
    """Return the one-sided error rate to compute at for a stated confidence such as 19/20."""
    return float((1 - confidence) / CALIBRATION)
