"""Group-sequential analysis: interim analyses of a run that do not make wrong verdicts more frequent."""

from dataclasses import dataclass

ANALYSES = (0.2, 0.4, 0.6, 0.8)
"""When a run that may stop early is analysed, as shares of its longest window; and at its end."""

FIRST_ANALYSIS_S = 60
"""Nothing is analysed before: seconds show none of a service's slower disturbances (docs/statistics.md)."""


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """The analyses of one run.

    Attributes:
        moments_s: When they are made, seconds of the window, ascending; the last is its end.
    """

    moments_s: tuple[int, ...]

    @property
    def final(self) -> int:
        """Number of the analysis at the end, counted from 0."""
        return len(self.moments_s) - 1

    def alpha_share(self, analysis: int) -> float:
        """Return the share of alpha that an analysis, counted from 0, may spend; all of them add up to 1.

        In proportion to t**2 - t'**2, with t and t' the shares of the window seen by it and by the one before
        (Kim and DeMets 1987, doi 10.1093/biomet/74.1.149). Without it, stopping at the first analysis that
        happens to look good would be wrong far more often than stated.
        """
        before = self.moments_s[analysis - 1] if analysis else 0
        return (self.moments_s[analysis] ** 2 - before**2) / self.moments_s[-1] ** 2


def analysis_plan(window_s: float) -> AnalysisPlan:
    """Return the analyses of a window of this longest length, seconds."""
    interim = (round(share * window_s) for share in ANALYSES)
    return AnalysisPlan((*(moment for moment in interim if moment >= FIRST_ANALYSIS_S), round(window_s)))
