"""A server's latencies beside the client's for the same requests: what cannot be, or only in another unit."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import bucket_bounds, count_at_or_over, quantile_bounds
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.buckets import Boundary
from slocheck.spec.metric_units import unit_in_name, unit_named
from slocheck.spec.model import Objective, Preset
from slocheck.spec.presets import PRESET_NAMES

_MARGIN = Fraction(9, 10)
_MARGIN_S = Fraction(2, 1000)
"""A server may stop its timer a little after the client has the response: this much is tolerated."""
STEP = 1000
"""From one unit to the next larger one."""
ALIKE = 3
"""A server's time that is at most so many times the client's may be the client's."""
FAR = 100
"""A server's time that is so many times the client's is in another unit."""
ENOUGH_SUMS = 3
"""So many sums that are all whole are not whole by chance."""
_SHOWN = ((1.0, 1, "s"), (0.001, 1000, "ms"), (0.0, 1_000_000, "us"))
"""Units for both figures, chosen by the client's: smallest latency, units in a second, name."""


@dataclass(frozen=True, slots=True)
class Timed:
    """What a server timed of the whole load.

    Attributes:
        requests: How many.
        summed: All their times together, in the histogram's own unit; None: not exported.
        added: What was added to that sum from scrape to scrape; None: not known.
    """

    requests: Fraction
    summed: Fraction | None
    added: tuple[int | Fraction, ...] | None = None

    @property
    def mean(self) -> Fraction | None:
        """The mean in the histogram's own unit; None if it is not known."""
        return self.summed / self.requests if self.summed is not None and self.requests else None

    @property
    def is_rounded_down(self) -> bool:
        """Whether the times look like whole units, most of them 0.

        A single sum may be whole by chance, as 0.5 s added up to an even count is.
        """
        if self.mean is None or self.mean >= 1 or self.summed is None or self.summed % 1:
            return False
        if self.added is None or not self.summed:
            return True
        grown = [amount for amount in self.added if amount]
        return len(grown) >= ENOUGH_SUMS and not any(amount % 1 for amount in grown)


def slower_than_client(
    objective: Objective,
    percentile: tuple[Boundary, Boundary],
    slower: int,
    *,
    client: ClientCounts,
    preset: Preset,
) -> str:
    """Say that a server's percentile is above the client's for the same requests; empty if it is not.

    Each of our requests took the client at least as long as it took the server. The client's requests are
    those of the whole load, so it does not matter when the server's window begins.

    Args:
        objective: With its quantile.
        percentile: The bucket that holds the server's percentile, seconds.
        slower: Requests of ours that surely took the server longer than that bucket's lower boundary.
        client: What the client counted.
        preset: Of the histogram.
    """
    low, high = percentile
    least = ceil((Fraction(low) * _MARGIN - _MARGIN_S) * NS_PER_SECOND)
    if not client.latencies or least <= 0:
        return ""
    if slower <= count_at_or_over(client.latencies, least)[1] + client.without_latency:
        return ""
    quantile = objective.indicator.quantile or Fraction(1)
    own = quantile_bounds(client.latencies, quantile)[1] / NS_PER_SECOND
    scale, word = _scale(own)
    until = "more" if high == inf else f"{float(high) * scale:,.6g} {word}"
    since = f"{float(low) * scale:,.6g} {word}"
    return (
        f"its p{float(quantile * 100):g} is {since} to {until}, the client's for the same requests "
        f"is {own * scale:.3g} {word}, {_never_slower(preset)}"
    )


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a histogram's times do not fit the client's of the same requests.

    Attributes:
        text: Both figures, and what to do.
        unit: The unit that it is in for certain; empty if there may be another cause.
    """

    text: str
    unit: str = ""


def doubt_of_mean(timed: Timed, client: Fraction, preset: Preset, *, boundaries_differ: bool) -> Doubt | None:
    """Compare a histogram's mean of a few requests with the client's; None if they fit.

    Args:
        timed: What the server timed of these requests, and of no others.
        client: The client's mean, seconds.
        preset: Of the histogram.
        boundaries_differ: The bucket boundaries do not suit the unit either.
    """
    if timed.mean is None or preset.name in PRESET_NAMES or client <= 0:
        return None
    mean = timed.mean * preset.unit_seconds
    if mean > client * ALIKE + _MARGIN_S:
        scale, word = _scale(float(client))
        text = (
            f"its mean is {float(mean) * scale:,.6g} {word}, the client's for the same requests is "
            f"{float(client) * scale:.3g} {word}, {_never_slower(preset)}"
        )
        smaller = unit_named(preset.unit_seconds / STEP) or ""
        return Doubt(text, smaller if mean >= client * FAR else "")
    if preset.unit_seconds >= 1 or timed.is_rounded_down or not fits_larger_unit(mean, client):
        return None
    is_alike = boundaries_differ and mean * STEP * ALIKE >= client
    larger = unit_named(preset.unit_seconds * STEP) or ""
    return Doubt(_far_faster("mean is", mean, client, preset), larger if is_alike else "")


def may_be_larger_unit(
    objective: Objective,
    percentile: tuple[Boundary, Boundary],
    timed: Timed,
    *,
    client: ClientCounts,
    preset: Preset,
) -> str:
    """Say that a server is so much faster than its client that the next larger unit fits; empty if not.

    A server may truly be a thousand times faster: the network and queues before it take the rest. Only the
    client's numbers hold in either case. Times that are rounded down to whole units say nothing if most of
    them are 0; shipped presets have been checked. Without a sum, a bucket that is so wide that it holds the
    time in either unit says nothing of the unit; then only the histogram's name may tell it.

    Args:
        objective: With its quantile.
        percentile: The bucket that holds the server's percentile, seconds.
        timed: Of the same requests.
        client: What the client counted.
        preset: Of the histogram.
    """
    if preset.name in PRESET_NAMES or preset.unit_seconds >= 1 or not client.latencies:
        return ""
    if timed.is_rounded_down:
        return ""
    highest = percentile[1]
    quantile = objective.indicator.quantile or Fraction(1)
    own = Fraction(quantile_bounds(client.latencies, quantile)[1], NS_PER_SECOND)
    if timed.mean is not None:
        mean, mean_of_client = timed.mean * preset.unit_seconds, _mean(client)
        if fits_larger_unit(mean, mean_of_client):
            return _far_faster("mean is", mean, mean_of_client, preset)
    if highest != inf and fits_larger_unit(Fraction(highest), own):
        return _far_faster(f"p{float(quantile * 100):g} is at most", Fraction(highest), own, preset)
    if timed.mean is not None:
        return ""
    doubt = doubt_without_sum(percentile, own, preset, what=f"p{float(quantile * 100):g}")
    return doubt.text if doubt else ""


def doubt_without_sum(
    bucket: tuple[Boundary, Boundary], client: Fraction, preset: Preset, *, what: str = "slowest"
) -> Doubt | None:
    """Compare a bucket with the client's time where no sum and no name tells the unit; None if they fit.

    A bucket that is wide enough holds the time in either unit.

    Args:
        bucket: That of the server's slowest request or of its percentile, seconds.
        client: The client's time for it, seconds.
        preset: Of the histogram.
        what: The word for that time.
    """
    lowest, highest = bucket
    known = preset.name in PRESET_NAMES or preset.unit_seconds >= 1 or unit_in_name(preset.histogram or "")
    if known or inf in (lowest, highest) or not fits_larger_unit(Fraction(lowest), client):
        return None
    scale, word = _scale(float(client))
    larger = unit_named(preset.unit_seconds * STEP) or "a larger unit"
    return Doubt(
        f"its {what} is at most {float(highest) * scale:,.6g} {word}, the client's for the same requests "
        f"{float(client) * scale:.3g} {word}: {preset.histogram} may be in {_unit(preset)} or in {larger}, "
        f"as its name has no unit and {preset.histogram}_sum is missing; keep that series, or write "
        "source: both"
    )


def fits_larger_unit(server: Fraction, client: Fraction) -> bool:
    """Tell whether a server's time, read in the next larger unit, would still fit the client's; seconds."""
    return server * STEP <= client * ALIKE


def _far_faster(what: str, server: Fraction, client: Fraction, preset: Preset) -> str:
    scale, word = _scale(float(client))
    larger = unit_named(preset.unit_seconds * STEP) or "a larger unit"
    return (
        f"its {what} {float(server) * scale:.3g} {word}, the client's for the same requests "
        f"{float(client) * scale:.3g} {word}: {preset.histogram} may be in {larger}, not in {_unit(preset)} "
        "(correct the preset's unit), or the time passes outside of the service (write source: both)"
    )


def _never_slower(preset: Preset) -> str:
    return (
        f"but a server is never slower than its client: {preset.histogram} may not be in {_unit(preset)} "
        "(correct the preset's unit), or it counts work after the response (write source: client)"
    )


def _mean(client: ClientCounts) -> Fraction:
    """Return the client's mean latency, seconds, as exact as its histogram."""
    total = Fraction(0)
    for index, count in client.latencies.items():
        low, high = bucket_bounds(index)
        total += Fraction(low + high - 1, 2) * count
    return total / sum(client.latencies.values()) / NS_PER_SECOND


def _scale(seconds: float) -> tuple[int, str]:
    return next((scale, word) for least, scale, word in _SHOWN if seconds >= least)


def _unit(preset: Preset) -> str:
    return unit_named(preset.unit_seconds) or "this unit"
