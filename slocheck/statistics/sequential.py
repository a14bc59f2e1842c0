"""Group-sequential analysis: interim analyses of a run that do not make wrong verdicts more frequent."""

INTERIM_ANALYSES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""When a run that may stop early is analysed, as shares of its longest window; the last is its end."""

FINAL_ANALYSIS = len(INTERIM_ANALYSES) - 1


def alpha_share(analysis: int) -> float:
    """Return the share of alpha that an analysis, counted from 0, may spend; all of them add up to 1.

    In proportion to t**2 - t'**2 (Kim and DeMets 1987, doi 10.1093/biomet/74.1.149). Without it, stopping at
    the first analysis that happens to look good would be wrong far more often than stated.
    """
    before = INTERIM_ANALYSES[analysis - 1] if analysis else 0.0
    return INTERIM_ANALYSES[analysis] ** 2 - before**2
