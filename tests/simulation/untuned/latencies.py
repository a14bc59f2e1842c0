"""Servers whose latencies have a heavy tail, two modes or a slope, or of which few requests are seen."""

from collections.abc import Callable
from dataclasses import replace
from math import exp

import numpy as np

from tests.simulation.models import ARRIVALS, BASE_S, SLOWNESS, Floats, Model, one_server, stalling
from tests.simulation.untuned.phases import between, boundaries

HEAVY = 1.5
"""Exponent of Pareto's distribution: its variance is infinite."""

FEW = 5
"""The load of the others, divided by this: 20 requests a second."""

STEP = 1.5
"""By how much a new version is slower."""

SWING = 0.5
"""Of a wave, relative to its mean."""

_PARTS = 2_000
"""Of a period, to average over it."""


def heavy_tailed() -> Model:
    """Every request is independent, and some take very long."""
    return Model(
        f"independent requests, Pareto {HEAVY:g}",
        lambda rng, arrivals: BASE_S * (1 - rng.random(arrivals.shape)) ** (-1 / HEAVY),
        lambda t: min(1.0, (t / BASE_S) ** -HEAVY),
    )


def two_modes(least_s: float, most_s: float) -> Model:
    """All requests are fast for a while, then all are slow for a while."""
    lengths = between(least_s, most_s)

    def latencies(rng: np.random.Generator, arrivals: Floats) -> Floats:
        """Both modes last equally long on average."""
        found = rng.exponential(BASE_S, arrivals.shape)
        for row, arrived in enumerate(arrivals):
            times = boundaries(rng, float(arrived[-1]), lengths, lengths)
            slow = np.searchsorted(times, arrived, side="right") % 2 == 1
            found[row] *= np.where(slow, SLOWNESS, 1)
        return found

    return Model(
        f"two modes, {least_s:g} to {most_s:g} s each",
        latencies,
        lambda t: (exp(-t / BASE_S) + exp(-t / BASE_S / SLOWNESS)) / 2,
    )


def _changing(name: str, factor: Callable[[Floats], Floats]) -> Model:
    """Independent requests whose mean latency depends on the part of the window that is over."""
    means = BASE_S * factor((np.arange(_PARTS) + 0.5) / _PARTS)

    def latencies(rng: np.random.Generator, arrivals: Floats) -> Floats:
        over = arrivals / np.ceil(arrivals[:, -1:])
        return rng.exponential(BASE_S, arrivals.shape) * factor(over)

    return Model(name, latencies, lambda t: float(np.exp(-t / means).mean()))


def deployed(*, slower: bool) -> Model:
    """A new version in the middle of the window."""
    before, after = (1.0, STEP) if slower else (STEP, 1.0)
    how = "slower" if slower else "faster"
    return _changing(f"a {how} version in mid-window", lambda over: np.where(over < 1 / 2, before, after))


def wave() -> Model:
    """Latencies that rise and fall, one period a window."""
    return _changing("a wave, one period a window", lambda over: 1 + SWING * np.sin(2 * np.pi * over))


def slope() -> Model:
    """Latencies that rise through the window, as half a period of a wave does."""
    return _changing("half a wave, rising", lambda over: 1 - SWING * np.cos(np.pi * over))


def thinned(model: Model) -> Model:
    """The same server in slow motion: fewer requests, and everything takes longer."""

    def latencies(rng: np.random.Generator, arrivals: Floats) -> Floats:
        return FEW * model.latencies(rng, arrivals / FEW)

    return Model(
        f"{model.name}, {ARRIVALS / FEW:g} requests/s",
        latencies,
        lead_s=FEW * model.lead_s,
        rate=ARRIVALS / FEW,
    )


def rare(model: Model) -> Model:
    """The same disturbances, seen by fewer requests."""
    return replace(model, name=f"{model.name}, {ARRIVALS / FEW:g} requests/s", rate=ARRIVALS / FEW)


LATENCIES = (
    (heavy_tailed(), ("p95", "p99")),
    (two_modes(5, 40), ("p95", "p99")),
    (wave(), ("p95",)),
    (slope(), ("p95",)),
    (deployed(slower=True), ("p95",)),
    (deployed(slower=False), ("p95",)),
    (thinned(one_server(0.5)), ("p99",)),
    (thinned(one_server(0.8)), ("p99",)),
    (rare(stalling()), ("p99",)),
)
"""Each with the percentiles whose limits are tried."""
