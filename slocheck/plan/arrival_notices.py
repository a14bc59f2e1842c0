"""Warnings about how the arrivals are spread. Pure."""

from collections.abc import Iterator
from itertools import accumulate

from slocheck.spec.model import Workload
from slocheck.spec.model.load_profile import ArrivalProcess, peak

DENSE_RATE = 1_000.0
"""At this rate and above, even arrivals are closer together than most periods of a target."""


def load_notices(workload: Workload) -> Iterator[str]:
    """Yield what a user should know of the load before it is sent, each a sentence without a full stop."""
    yield from workload.old_words
    if text := phase_locked(workload):
        yield text


def phase_locked(workload: Workload) -> str:
    """Warn that even arrivals may see a periodic target at one phase only; empty if they are not used.

    The lowest rate that is held within the window counts: on a ramp the distance of arrivals changes.
    """
    if workload.arrivals is not ArrivalProcess.EVEN or not workload.rate:
        return ""
    if min(_held(workload), default=peak(workload.rate)) >= DENSE_RATE:
        return ""
    return (
        f"even arrivals below {DENSE_RATE:,.0f}/s may always hit a periodic target (a CPU quota, a timer) at "
        "the same phase, so that the result is a matter of chance; write `arrivals: jittered`, the default"
    )


def _held(workload: Workload) -> Iterator[float]:
    """Yield the rates above 0 that are held for a part of the window, or for all of it."""
    begin, end = workload.warmup, workload.warmup + workload.duration
    starts = accumulate((stage.seconds for stage in workload.rate), initial=0.0)
    for start, stage in zip(starts, workload.rate, strict=False):
        if stage.begin == stage.end > 0 and start < end and start + stage.seconds > begin:
            yield stage.begin
