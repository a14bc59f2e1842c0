"""Several analyses, runs or objectives; how often a clear case is decided; what the tests for drift find."""

from collections.abc import Iterator, Sequence

import numpy as np

from tests.simulation.drifts import DRIFTS, SLACKS
from tests.simulation.models import MODELS, Model, one_server, phased, stalling
from tests.simulation.rates import (
    NOMINAL,
    SPREAD,
    Rates,
    differing,
    early_stopping_rates,
    family_rates,
    joined,
    our_rates,
    pooled_rates,
    unsteady,
    windows,
)
from tests.simulation.tables import POOLED, SECONDS, Table, pair, percent

OBJECTIVES = 12
EVEN_SPREAD = "true share anywhere from none to twice the limit's"
BUSY = (one_server(0.5), one_server(0.8), one_server(0.95), stalling(), phased())


def several_analyses(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for interim analyses of a running test, for pooled runs, and for many objectives."""
    for number, model in enumerate(BUSY):
        rng = np.random.default_rng([seed, 2, number])
        naive, spent = Rates(0), Rates(0)
        for window in windows(model, rng, runs=runs, seconds=300, share=0.05):
            naive += early_stopping_rates(window, naive=True)
            spent += early_stopping_rates(window)
        yield ["until decided, 300 s, alpha spending", model.name, *pair(spent, NOMINAL)]
        yield ["the same interim analyses at full alpha", model.name, *pair(naive, NOMINAL)]
    yield from pooled_runs(seed, runs)
    yield from many_objectives(seed, runs)


def pooled_runs(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for several runs as one sample: runs with the same true share, and runs without."""
    for number, model in enumerate(BUSY):
        yield [
            f"{POOLED[0]} runs of 60 s, pooled",
            model.name,
            *pair(pool(model, POOLED[0], [seed, 3, number], runs), NOMINAL),
        ]
    for count in POOLED:
        window = differing(np.random.default_rng([seed, 7, count]), runs=runs, seconds=60, pooled=count)
        name = f"true share varies by {SPREAD:.0%} from run to run"
        yield [f"{count} runs of 60 s, pooled", name, *pair(pooled_rates(window, count), NOMINAL)]
        yield [f"{count} runs of 60 s, as if one", name, *pair(our_rates(window), NOMINAL)]
        rng = np.random.default_rng([seed, 7, count, 300])
        window = differing(rng, runs=runs, seconds=300, pooled=count, uniform=True)
        yield [f"{count} runs of 300 s, pooled", EVEN_SPREAD, *pair(pooled_rates(window, count), NOMINAL)]


def pool(model: Model, count: int, seed: Sequence[int], runs: int, truth: float | None = None) -> Rates:
    """Return the rates of `runs` pools of `count` runs each, of 60 s."""
    found = Rates(0)
    for window in windows(
        model,
        np.random.default_rng(seed),
        runs=runs * count,
        seconds=60,
        share=0.05,
        truth=truth,
        chunk=50 * count,
    ):
        found += pooled_rates(joined(window, count), count)
    return found


def many_objectives(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for a gate of many objectives, each at its limit and with its own server."""
    for number, model in enumerate((one_server(0.8), one_server(0.95))):
        for seconds in SECONDS:
            rng = np.random.default_rng([seed, 4, number, seconds])
            plain, corrected = Rates(0), Rates(0)
            for window in windows(
                model, rng, runs=runs * OBJECTIVES, seconds=seconds, share=0.05, chunk=20 * OBJECTIVES
            ):
                one, two = family_rates(window, OBJECTIVES)
                plain, corrected = plain + one, corrected + two
            yield [f"{OBJECTIVES} objectives, {seconds} s, each by itself", model.name, *pair(plain, NOMINAL)]
            yield [f"{OBJECTIVES} objectives, {seconds} s, by Holm", model.name, *pair(corrected, NOMINAL)]


def power(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield how often a clear case is decided."""
    for number, model in enumerate(MODELS):
        row = [model.name]
        for seconds in SECONDS:
            for factor in (0.5, 2.0):
                rng = np.random.default_rng([seed, 6, number, seconds, round(2 * factor)])
                found = Rates(0)
                for window in windows(
                    model, rng, runs=runs, seconds=seconds, share=0.05, truth=0.05 * factor
                ):
                    found += our_rates(window)
                row.append(percent(found.met if factor < 1 else found.breached, runs))
        pools = (pool(model, count, [seed, 8, number, count], runs, truth=0.025) for count in POOLED)
        yield [*row, *(percent(found.met, runs) for found in pools)]


def alarms(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield how often a stationary window raises an alarm."""
    for number, model in enumerate(MODELS):
        row = [model.name]
        for seconds in (60, 120, 300):
            rng = np.random.default_rng([seed, 5, number, seconds])
            parts = windows(model, rng, runs=runs, seconds=seconds, share=0.05)
            row.append(percent(sum(unsteady(part.counts) for part in parts), runs))
        yield row


def drifts(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield how often a change within the window raises an alarm, and how often a limit is met on it."""
    for number, drift in enumerate(DRIFTS):
        row = [drift.name]
        for seconds in SECONDS:
            rng = np.random.default_rng([seed, 12, number, seconds])
            row.append(percent(drift.alarms(rng, runs, seconds), runs))
            row += [percent(drift.met(rng, runs, seconds, slack), runs) for slack in SLACKS]
        yield row


TABLES = (
    Table(
        "analyses",
        "Several analyses, runs or objectives.",
        ["p95", "server", "met", "breached"],
        2,
        several_analyses,
    ),
    Table(
        "alarms",
        "Per cent of steady windows that raise a steady-state alarm.",
        ["server", "60 s", "120 s", "300 s"],
        1,
        alarms,
    ),
    Table(
        "drifts",
        "Per cent of windows that are not steady and raise one, and per cent on which a limit is met that\n"
        f"allows {' or '.join(f'{slack:g}' for slack in SLACKS)} times what is bad at the window's end.",
        [
            "what changes",
            *(
                f"{seconds} s: {what}"
                for seconds in SECONDS
                for what in ("alarm", *(f"met at {slack:g}" for slack in SLACKS))
            ),
        ],
        1,
        drifts,
    ),
    Table(
        "power",
        "Per cent of runs that are decided correctly at p95: met where the true share of slow requests is\n"
        "half of what the limit allows, breached where it is twice as much.",
        [
            *("server", "60 s: met", "breached", "300 s: met", "breached"),
            *(f"{count} runs of 60 s: met" for count in POOLED),
        ],
        1,
        power,
    ),
)
