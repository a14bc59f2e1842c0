"""The latency of a run by percentile, for two runs to be laid over each other."""

from fractions import Fraction

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.recording import Recording

QUANTILES = tuple(
    Fraction(text) for text in ("0.5", "0.75", "0.9", "0.95", "0.99", "0.995", "0.999", "0.9999")
)

Spectrum = tuple[tuple[float, float], ...]
"""Quantile, and the latency there in seconds."""


def spectrum(recording: Recording) -> Spectrum:
    """Return the latency of the window's successful requests at each quantile; empty without any.

    A quantile is left out if fewer than ten requests are above it: they say nothing of it.
    """
    histogram = recording.scope().latencies
    total = sum(histogram.values())
    if not total:
        return ()
    shown = [quantile for quantile in QUANTILES if (1 - quantile) * total >= 10]  # noqa: PLR2004 - as said
    return tuple(
        (float(quantile), sum(quantile_bounds(histogram, quantile)) / 2 / NS_PER_SECOND)
        for quantile in shown or QUANTILES[:1]
    )
