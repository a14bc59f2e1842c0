"""How often a comparison is wrong, and what it finds: ``python -m tests.simulation.between_runs``.

Runs are drawn at random: a latency whose logarithm varies from run to run, or an error rate whose failures
come independently or in bursts of one second. Then they are compared as real ones are.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from slocheck.comparison.compare import DEFAULT_MARGIN, compare
from slocheck.comparison.model import ObjectiveRecord, RunRecord, Trend
from tests.builders.records import latency, record, share

SEED = 20260102
REPLICATIONS = 2000
NOISES = (0.01, 0.03, 0.1)
"""Standard deviation of the logarithm of a latency from run to run; 0.1 is what shared machines show."""
COUNTS = (5, 10, 20)
CHANGES = (0.0, 0.1, 0.2, 0.3, 0.5)
BASE_S = 0.1
REQUESTS, SECONDS = 30_000, 300

Draw = Callable[[np.random.Generator, float], ObjectiveRecord]
"""Draws the value of one run that is worse by a share: 0.1 for 10 %."""


def latencies(noise: float, *, heavy: bool = False) -> Draw:
    """Return what draws a latency: its logarithm is normal, or of Student's t with 4 degrees of freedom."""

    def draw(generator: np.random.Generator, change: float) -> ObjectiveRecord:
        drawn = generator.standard_t(4) / 2**0.5 if heavy else generator.standard_normal()
        return latency(float(BASE_S * (1 + change) * np.exp(noise * drawn)), error=noise / 4)

    return draw


def failures(rate: float, *, burst: int = 1) -> Draw:
    """Return what draws an error rate: failures come alone, or in bursts within one second."""

    def draw(generator: np.random.Generator, change: float) -> ObjectiveRecord:
        events = int(generator.poisson(REQUESTS * rate * (1 + change) / burst))
        bad = min(REQUESTS, events * burst)
        size = REQUESTS / burst if bad else REQUESTS
        return share(bad / REQUESTS, size=size)

    return draw


@dataclass(frozen=True, slots=True)
class Found:
    """How many of some comparisons found a change for the worse, and how many proved that there is none."""

    worse: int
    within: int
    replications: int


def compared(
    draw: Draw,
    *,
    change: float,
    old: int,
    new: int = 1,
    objectives: int = 1,
    replications: int = REPLICATIONS,
    seed: int = SEED,
) -> Found:
    """Compare `new` runs that are worse by `change` with `old` ones, again and again."""
    generator = np.random.default_rng(seed)
    worse = within = 0
    for _ in range(replications):
        before = _runs(draw, generator, 0.0, old, objectives)
        after = _runs(draw, generator, change, new, objectives)
        found = compare(after, before)
        worse += bool(found.regressions)
        within += all(item.trend in (Trend.WITHIN, Trend.BETTER) for item in found.changes)
    return Found(worse, within, replications)


def _runs(
    draw: Draw, generator: np.random.Generator, change: float, count: int, objectives: int
) -> Sequence[RunRecord]:
    def several() -> Iterator[ObjectiveRecord]:
        for number in range(objectives):
            one = draw(generator, change)
            yield replace(one, name=f"{one.name}-{number}")

    return [record(number, *several()) for number in range(count)]


def rows(replications: int) -> Iterator[list[str]]:
    """Yield a row for each noise and number of earlier runs: how often each change is found, in percent."""
    for noise in NOISES:
        for old in COUNTS:
            found = [
                compared(latencies(noise), change=change, old=old, replications=replications)
                for change in CHANGES
            ]
            yield [
                f"{noise:.0%}",
                f"1 against {old}",
                *(f"{100 * item.worse / item.replications:.1f}" for item in found),
            ]
        five = [
            compared(latencies(noise), change=change, old=5, new=5, replications=replications)
            for change in CHANGES
        ]
        yield [
            f"{noise:.0%}",
            "5 against 5",
            *(f"{100 * item.worse / item.replications:.1f}" for item in five),
        ]


HEAD = ("spread between runs", "runs", *(f"{change:.0%} slower" for change in CHANGES))


def main(arguments: Sequence[str]) -> None:
    """Print the table of docs/statistics.md."""
    replications = int(arguments[0]) if arguments else REPLICATIONS
    lines = [HEAD, ["---"] * len(HEAD), *rows(replications)]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    sys.stdout.write(
        f"{table}\nA margin of {DEFAULT_MARGIN:.0%}; {replications} comparisons a cell, seed {SEED}.\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
