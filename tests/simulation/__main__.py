"""Print the error rates of the statistics: ``python -m tests.simulation``; with ``--quick``, roughly."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np

from tests.simulation.models import (
    EVEN_MODELS,
    MODELS,
    SLOW_S,
    STALL_S,
    Model,
    one_server,
    phased,
    stalling,
)
from tests.simulation.outages import Outages
from tests.simulation.rates import (
    NOMINAL,
    SPREAD,
    Rates,
    differing,
    early_stopping_rates,
    family_rates,
    independent_rates,
    joined,
    our_rates,
    pooled_rates,
    unsteady,
    windows,
)

SEED = 20260101
RUNS, QUICK_RUNS = 600, 100
SECONDS = (60, 300)
SHARES = {"p95": 0.05, "p99": 0.01}
OBJECTIVES = 12
POOLED = (3, 5)
ENOUGH = 30
"""So many errors are expected at the nominal rate, in a full simulation."""
CONDITIONS = (
    (Fraction(95, 100), False),
    *((Fraction(level, 1000), True) for level in (950, 990, 999)),
)
"""Level, and whether the length of the outages is stated, for each pair of columns."""
LONG_WINDOW_LEVEL = Fraction(95, 100)
"""Above it the hour's rows are left out: they would take very long."""
BUSY = (one_server(0.5), one_server(0.8), one_server(0.95), stalling(), phased())

BURSTS = (
    (one_server(0.5), 0.2),
    (one_server(0.8), 1.0),
    (one_server(0.95), 10.0),
    (stalling(), STALL_S),
    (phased(), SLOW_S),
)
"""About how long the disturbances of each last."""


def percent(wrong: int, runs: int, digits: int = 1) -> str:
    """Write a rate of errors."""
    return f"{100 * wrong / runs:.{digits}f}"


def pair(rates: Rates, *, digits: int = 1) -> list[str]:
    """Write false met and false breached."""
    return [percent(wrong, rates.runs, digits) for wrong in (rates.met, rates.breached)]


def single_windows(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield a row for each model, window and percentile."""
    for number, model in enumerate((*MODELS, *EVEN_MODELS)):
        for seconds in SECONDS:
            for name, share in SHARES.items():
                rng = np.random.default_rng([seed, 1, number, seconds, round(100 * share)])
                promised, same, ours = Rates(0), Rates(0), Rates(0)
                for window in windows(model, rng, runs=runs, seconds=seconds, share=share):
                    promised += independent_rates(window, NOMINAL)
                    same += independent_rates(window, NOMINAL / 5)
                    ours += our_rates(window)
                yield [model.name, f"{seconds} s", name, *pair(promised), *pair(same), *pair(ours)]


def outages(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for failures that come in outages, without and with a condition on their length."""
    for share in (0.001, 0.01):
        for lasts_s in (0.1, 0.5, 2.0, 10.0):
            for window_s in (300, 3600):
                model = Outages(share, lasts_s, window_s)
                row = [f"{share:.1%}", f"{lasts_s:g} s", f"{window_s} s"]
                for level, stated in CONDITIONS:
                    if level > LONG_WINDOW_LEVEL and window_s > SECONDS[-1]:
                        row += ["-", "-"]
                        continue
                    rng = np.random.default_rng([seed, 9, round(share * 1e4), round(lasts_s * 10), window_s])
                    enough = max(runs, round(runs / RUNS * ENOUGH / float(1 - level)))
                    row += pair(model.rates(rng, enough, level, lasts_s if stated else 0.0), digits=2)
                yield row


def stated_bursts(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for latencies, with the length of their disturbances stated."""
    for number, (model, bursts_s) in enumerate(BURSTS):
        rng = np.random.default_rng([seed, 10, number])
        found = Rates(0)
        for window in windows(model, rng, runs=runs, seconds=SECONDS[-1], share=0.05):
            found += our_rates(replace(window, bursts_s=bursts_s))
        yield [model.name, f"{bursts_s:g} s", *pair(found)]


def several_analyses(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for interim analyses of a running test, for pooled runs, and for many objectives."""
    for number, model in enumerate(BUSY):
        rng = np.random.default_rng([seed, 2, number])
        naive, spent = Rates(0), Rates(0)
        for window in windows(model, rng, runs=runs, seconds=300, share=0.05):
            naive += early_stopping_rates(window, naive=True)
            spent += early_stopping_rates(window)
        yield ["until decided, 300 s, alpha spending", model.name, *pair(spent)]
        yield ["the same interim analyses at full alpha", model.name, *pair(naive)]
    yield from pooled_runs(seed, runs)
    yield from many_objectives(seed, runs)


def pooled_runs(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for several runs as one sample: runs that are alike, and runs that are not."""
    for number, model in enumerate(BUSY):
        yield [
            f"{POOLED[0]} runs of 60 s, pooled",
            model.name,
            *pair(pool(model, POOLED[0], [seed, 3, number], runs)),
        ]
    for count in POOLED:
        window = differing(np.random.default_rng([seed, 7, count]), runs=runs, seconds=60, pooled=count)
        name = f"true share varies by {SPREAD:.0%} from run to run"
        yield [f"{count} runs of 60 s, pooled", name, *pair(pooled_rates(window, count))]
        yield [f"{count} runs of 60 s, as if one", name, *pair(our_rates(window))]


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
    """Yield rows for a gate of many objectives, each at its limit and each with a server of its own."""
    for number, model in enumerate((one_server(0.8), one_server(0.95))):
        for seconds in SECONDS:
            rng = np.random.default_rng([seed, 4, number, seconds])
            plain, corrected = Rates(0), Rates(0)
            for window in windows(
                model, rng, runs=runs * OBJECTIVES, seconds=seconds, share=0.05, chunk=20 * OBJECTIVES
            ):
                one, two = family_rates(window, OBJECTIVES)
                plain, corrected = plain + one, corrected + two
            yield [f"{OBJECTIVES} objectives, {seconds} s, each by itself", model.name, *pair(plain)]
            yield [f"{OBJECTIVES} objectives, {seconds} s, by Holm", model.name, *pair(corrected)]


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


def table(heads: Sequence[str], rows: Iterator[list[str]], *, names: int) -> Iterator[str]:
    """Yield the lines of a Markdown table, as rows come; numbers stand at the right."""
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * names + " ---: |" * (len(heads) - names)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def lines(seed: int, runs: int, command: str) -> Iterator[str]:
    """Yield the whole output."""
    began = time.monotonic()
    yield f"{datetime.now(UTC):%Y-%m-%d}, `{command}`: {runs:,} runs a row, seed {seed}."
    yield "Per cent of runs with a false verdict at the exact limit; 5 promised."
    yield ""
    heads = ["server", "window", "limit", "i.i.d. 5 %: met", "breached", "i.i.d. 1 %: met", "breached"]
    yield from table([*heads, "slocheck: met", "breached"], single_windows(seed, runs), names=3)
    yield ""
    yield from table(
        [
            *("failed", "outages of", "window", "95 %: met", "breached"),
            *("95 %, bursts stated: met", "breached", "99 %, stated: met", "breached"),
            *("99.9 %, stated: met", "breached"),
        ],
        outages(seed, runs),
        names=3,
    )
    yield ""
    yield from table(
        ["server, p95 in 300 s", "bursts", "met", "breached"], stated_bursts(seed, runs), names=2
    )
    yield ""
    yield from table(["p95", "server", "met", "breached"], several_analyses(seed, runs), names=2)
    yield ""
    yield "Per cent of steady windows that raise a steady-state alarm."
    yield ""
    yield from table(["server", "60 s", "120 s", "300 s"], alarms(seed, runs), names=1)
    yield ""
    yield "Per cent of runs that are decided correctly at p95: met where the true share of slow requests is"
    yield "half of what the limit allows, breached where it is twice as much."
    yield ""
    yield from table(
        [
            "server",
            "60 s: met",
            "breached",
            "300 s: met",
            "breached",
            *(f"{count} runs of 60 s: met" for count in POOLED),
        ],
        power(seed, runs),
        names=1,
    )
    yield ""
    yield f"It took {time.monotonic() - began:.0f} s."


def main(arguments: Sequence[str]) -> None:
    """Print the tables line by line, as they are found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs a row, not {RUNS}")
    parser.add_argument("--runs", type=int, help="so many runs a row")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    runs = options.runs or (QUICK_RUNS if options.quick else RUNS)
    command = " ".join(["python -m tests.simulation", *arguments])
    for line in lines(options.seed, runs, command):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
