"""A workload in words, and its load profile as a small plot."""

from collections.abc import Sequence
from fractions import Fraction

from slocheck.documents.units import format_rate
from slocheck.spec.model import Workload
from slocheck.spec.model.load_profile import Stage, length, peak, rate_at

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def load_text(workload: Workload) -> str:
    """Name the load model and how much load it sends."""
    if workload.rate:
        what = f"open model: {_peak_text(workload.rate, '/s')}, {workload.arrivals} arrivals"
        return f"{what}, at most {workload.users:,} users at once"
    if workload.stages:
        return f"closed model: {_peak_text(workload.stages, ' users')}"
    # the float comes from an exact decimal, so its shortest text is what the user wrote
    rate = format_rate(Fraction(f"{workload.spawn_rate:.6g}"))
    return f"closed model: {workload.users:,} users, spawned at {rate}"


def _peak_text(stages: Sequence[Stage], unit: str) -> str:
    if len(stages) == 1 and stages[0].begin == stages[0].end:
        return f"{stages[0].end:,g}{unit}"
    return f"up to {peak(stages):,g}{unit} in {len(stages)} stage{'s' if len(stages) > 1 else ''}"


def plot(stages: Sequence[Stage]) -> str:
    """Draw a load profile as a line of bars, the highest rate at full height."""
    top, whole = peak(stages), length(stages)
    rates = [rate_at(stages, whole * (column + 0.5) / _WIDTH) for column in range(_WIDTH)]
    return "".join(_BARS[round(height / top * (len(_BARS) - 1))] for height in rates)
