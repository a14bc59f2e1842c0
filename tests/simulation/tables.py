"""A table of error rates: its cells, and which of them are over what was promised."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scipy.special import betaincinv

from tests.simulation.rates import Rates

SEED = 20260101
RUNS, QUICK_RUNS = 600, 100
SECONDS = (60, 300)
POOLED = (3, 5)
ENOUGH = 30
"""Errors expected at the nominal rate, in a full simulation."""

OVER = "!"
"""Marks a rate whose lower 99 % bound exceeds the nominal rate."""

_DOUBT = 0.01


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the output.

    Attributes:
        name: For ``--only``.
        said: What it shows, printed before it; may be empty.
        heads: Of the columns.
        names: How many columns are names; the others are numbers.
        rows: Yields the rows, from the seed and the number of runs in a row.
    """

    name: str
    said: str
    heads: Sequence[str]
    names: int
    rows: Callable[[int, int], Iterator[list[str]]]

    def lines(self, seed: int, runs: int) -> Iterator[str]:
        """Yield the lines of a Markdown table, as rows come; numbers are right-aligned."""
        if self.said:
            yield from (self.said, "")
        yield "| " + " | ".join(self.heads) + " |"
        yield "|" + " --- |" * self.names + " ---: |" * (len(self.heads) - self.names)
        for row in self.rows(seed, runs):
            yield "| " + " | ".join(row) + " |"


def percent(count: int, runs: int, digits: int = 1) -> str:
    """Write a share of runs."""
    return f"{100 * count / runs:.{digits}f}"


def exceeds(wrong: int, runs: int, nominal: float) -> bool:
    """Tell whether that many errors are more than chance at a nominal rate.

    By the lower 99 % bound of Clopper and Pearson.
    """
    return wrong > 0 and float(betaincinv(wrong, runs - wrong + 1, _DOUBT)) > nominal


def pair(rates: Rates, nominal: float, *, digits: int = 1) -> list[str]:
    """Write false met and false breached; those over the nominal rate are marked."""
    return [
        percent(wrong, rates.runs, digits) + (OVER if exceeds(wrong, rates.runs, nominal) else "")
        for wrong in (rates.met, rates.breached)
    ]


def enough_runs(runs: int, level: float) -> int:
    """Return how many runs a level needs: `ENOUGH` errors at its nominal rate, or fewer in a quick one."""
    return max(runs, round(runs / RUNS * ENOUGH / (1 - level)))
