"""Whether a histogram can be of the requests that the client sent: no answer arrives before it was made."""

from fractions import Fraction
from math import ceil, inf

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import count_at_or_over, quantile_bounds
from slocheck.indicators.server.buckets import Boundary
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.spec.metric_units import UNITS
from slocheck.spec.model import Objective, Preset

MARGIN = Fraction(9, 10)
MARGIN_S = Fraction(2, 1000)
"""A server may stop its timer a little after the client has the answer: so much is not held against it."""

_SHOWN = ((1.0, 1, "s"), (0.001, 1000, "ms"), (0.0, 1_000_000, "us"))
"""Units for both figures, by the client's: from which latency on, how many in a second, and the word."""


def slower_than_client(
    objective: Objective,
    percentile: tuple[Boundary, Boundary],
    slower: int,
    *,
    client: ClientCounts,
    preset: Preset,
) -> str:
    """Say that a server's percentile is above the client's for the same requests; empty where it is not.

    Each of our requests that took the server longer than some time took the client as long at least. The
    client's requests are those of the whole load: when the server's window begins changes nothing.

    Args:
        objective: With its quantile.
        percentile: The bucket that holds the server's percentile, seconds.
        slower: Requests of ours that surely took the server longer than that bucket's lower boundary.
        client: What the client counted.
        preset: Of the histogram.
    """
    low, high = percentile
    least = ceil((Fraction(low) * MARGIN - MARGIN_S) * NS_PER_SECOND)
    if not client.latencies or least <= 0:
        return ""
    if slower <= count_at_or_over(client.latencies, least)[1] + client.without_latency:
        return ""
    quantile = objective.indicator.quantile or Fraction(1)
    own = quantile_bounds(client.latencies, quantile)[1] / NS_PER_SECOND
    scale, word = next((scale, word) for least, scale, word in _SHOWN if own >= least)
    until = "more" if high == inf else f"{float(high) * scale:,.6g} {word}"
    unit = next((name for name, seconds in UNITS.items() if seconds == preset.unit_seconds), "this unit")
    since = f"{float(low) * scale:,.6g} {word}"
    return (
        f"its p{float(quantile * 100):g} is {since} to {until}, the client's for the same requests "
        f"is {own * scale:.3g} {word}, and a server is never slower than its client: "
        f"{preset.histogram} may not be in {unit} (correct the preset's unit), or it counts work after the "
        "response (write source: client)"
    )
