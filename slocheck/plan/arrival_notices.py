"""What a user should know of how the arrivals are spread. Pure."""

from slocheck.spec.model import Workload
from slocheck.spec.model.load_profile import ArrivalProcess, peak

DENSE_RATE = 1_000.0
"""From this many arrivals a second on, even arrivals are closer together than most rhythms of a target."""


def phase_locked(workload: Workload) -> str:
    """Say that even arrivals may see a periodic target at one phase alone; empty where they are not used."""
    if workload.arrivals is not ArrivalProcess.EVEN or not 0 < peak(workload.rate) < DENSE_RATE:
        return ""
    return (
        f"even arrivals below {DENSE_RATE:,.0f}/s may meet a periodic target (a CPU quota, a timer) always "
        "at the same phase, and then what they measure is a matter of chance; write `arrivals: jittered`, "
        "the default"
    )
