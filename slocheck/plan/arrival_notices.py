"""Warnings about how the arrivals are spread. Pure."""

from slocheck.spec.model import Workload
from slocheck.spec.model.load_profile import ArrivalProcess, peak

DENSE_RATE = 1_000.0
"""At this rate and above, even arrivals are closer together than most periods of a target."""


def phase_locked(workload: Workload) -> str:
    """Warn that even arrivals may see a periodic target at one phase only; empty if they are not used."""
    if workload.arrivals is not ArrivalProcess.EVEN or not 0 < peak(workload.rate) < DENSE_RATE:
        return ""
    return (
        f"even arrivals below {DENSE_RATE:,.0f}/s may always hit a periodic target (a CPU quota, a timer) at "
        "the same phase, so that the result is a matter of chance; write `arrivals: jittered`, the default"
    )
