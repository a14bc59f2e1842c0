"""Phases of two kinds that alternate, such as calm and storm."""

from collections.abc import Callable

import numpy as np

from tests.simulation.models import Floats

Lengths = Callable[[np.random.Generator, int], Floats]
"""Draws so many lengths, seconds."""

LEAD_S = 200.0
"""Phases begin so long before the window: by then their start no longer matters."""


def exponential(mean_s: float) -> Lengths:
    """Phases that may end at any moment."""
    return lambda rng, count: rng.exponential(mean_s, count)


def between(least_s: float, most_s: float) -> Lengths:
    """Phases of any length between two, equally likely."""
    return lambda rng, count: rng.uniform(least_s, most_s, count)


def boundaries(rng: np.random.Generator, seconds: float, first: Lengths, second: Lengths) -> Floats:
    """Return the times at which a phase of the second kind begins, and ends, by turns; from -`LEAD_S` on."""
    length, parts = seconds + 2 * LEAD_S, 64
    ends = np.zeros(0)
    while not len(ends) or ends[-1] < length:
        lengths = np.column_stack((first(rng, parts), second(rng, parts))).ravel()
        ends = np.cumsum(lengths)
        parts *= 2
    return ends - LEAD_S - float(rng.random()) * LEAD_S / 2


def parts_of_seconds(
    rng: np.random.Generator, runs: int, seconds: int, first: Lengths, second: Lengths
) -> Floats:
    """Return which part of each second lies in a phase of the second kind, 0..1, shape (runs, seconds)."""
    found = np.empty((runs, seconds))
    for row in range(runs):
        times = boundaries(rng, seconds, first, second)
        lasted = np.diff(times)
        lasted[1::2] = 0.0
        spent = np.concatenate(([0.0], np.cumsum(lasted)))
        found[row] = np.diff(np.interp(np.arange(seconds + 1), times, spent))
    return found
