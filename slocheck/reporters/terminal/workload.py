"""A workload in words, and its course as a small plot."""

from collections.abc import Sequence
from fractions import Fraction

from slocheck.documents.units import format_rate
from slocheck.spec.model import Workload
from slocheck.spec.model.load_profile import Stage, length, peak, rate_at

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def load_text(workload: Workload) -> str:
    """Say which model sends how much."""
    if workload.rate:
        what = f"open model: {_level(workload.rate, '/s')}, {workload.arrivals} arrivals"
        return f"{what}, at most {workload.users:,} users at once"
    if workload.stages:
        return f"closed model: {_level(workload.stages, ' users')}"
    # the float comes from an exact decimal, so its shortest text is the one that was written
    rate = format_rate(Fraction(f"{workload.spawn_rate:.6g}"))
    return f"closed model: {workload.users:,} users, started at {rate}"


def _level(stages: Sequence[Stage], unit: str) -> str:
    if len(stages) == 1 and stages[0].begin == stages[0].end:
        return f"{stages[0].end:,g}{unit}"
    return f"up to {peak(stages):,g}{unit} in {len(stages)} stage{'s' if len(stages) > 1 else ''}"


def plot(stages: Sequence[Stage]) -> str:
    """Draw a load's course as a line of bars, the highest level in full height."""
    top, whole = peak(stages), length(stages)
    levels = [rate_at(stages, whole * (column + 0.5) / _WIDTH) for column in range(_WIDTH)]
    return "".join(_BARS[round(height / top * (len(_BARS) - 1))] for height in levels)
