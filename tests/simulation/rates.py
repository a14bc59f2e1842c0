"""False verdicts where the truth is known: exactly at the limit neither met nor breached is right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import log, sqrt

import numpy as np
from scipy.special import betaincinv

from slocheck.plan.load_plan import NEAR, REFERENCE_LATENCIES_MS, is_reference
from slocheck.statistics.confidence import Criterion, criterion_for
from slocheck.statistics.multiple_testing import holm
from slocheck.statistics.proportion import ProportionComparison, compare_proportion
from slocheck.statistics.sequential import analysis_plan
from slocheck.statistics.trend import detect_drift
from tests.simulation.models import Counts, Ints, Model, observe

CONFIDENCE = Fraction(19, 20)
NOMINAL = float(1 - CONFIDENCE)
"""The one-sided error rate that is promised."""

SPREAD = 0.5
"""Standard deviation of the true share from run to run, relative to its mean, where runs differ."""

CHUNK = 250
"""Runs drawn at once: bounds the memory."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How many of `runs` were wrong, and in which way."""

    runs: int
    met: int = 0
    breached: int = 0

    def __add__(self, other: "Rates") -> "Rates":
        """Put two experiments of the same kind together."""
        return Rates(self.runs + other.runs, self.met + other.met, self.breached + other.breached)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one model against a limit.

    Attributes:
        share: What the limit allows to lie at or over it; at the boundary the truth, too.
        counts: For the reference edges below the limit, and last for the limit itself.
        near: Requests that came near the limit, shape (runs, seconds); None: not known, taken for some.
        bursts_s: The condition on bursts; 0: none.
        level: The confidence.
    """

    share: float
    counts: Counts
    near: Ints | None = None
    bursts_s: float = 0.0
    level: Fraction = CONFIDENCE

    @property
    def bad(self) -> Ints:
        """Requests at or over the limit, shape (runs, seconds)."""
        bad: Ints = self.counts.over[-1]
        return bad

    def criterion(self, seconds: int | None = None, runs: Sequence[int] | None = None) -> Criterion:
        """Return the criterion for a window, or its first seconds."""
        return criterion_for(self.level, tuple(runs or (seconds or self.bad.shape[1],)), self.bursts_s)

    def compare(
        self,
        run: int,
        criterion: Criterion,
        seconds: int | None = None,
        *,
        runs: Sequence[int] | None = None,
    ) -> ProportionComparison:
        """Compare one window, or its first seconds, with the limit as the product does."""
        near = self.near is None or bool(self.near[run, :seconds].any())
        return compare_proportion(
            self.counts.n[run, :seconds].tolist(),
            self.bad[run, :seconds].tolist(),
            self.share,
            criterion,
            references=[edge[run, :seconds].tolist() for edge in self.counts.over[:-1]] if near else [],
            runs=runs,
        )


def edges_of(limit: float) -> tuple[float, ...]:
    """Return the reference edges of a limit, and last the limit itself; seconds."""
    return (*(ms / 1000 for ms in REFERENCE_LATENCIES_MS if is_reference(ms / 1000, limit)), limit)


def windows(
    model: Model,
    rng: np.random.Generator,
    *,
    runs: int,
    seconds: int,
    share: float,
    truth: float | None = None,
    chunk: int = CHUNK,
) -> Iterator[Windows]:
    """Yield windows in chunks of runs: at the exact boundary, or with `truth` as the true share."""
    limit = model.limit(share if truth is None else truth)
    edges = edges_of(limit)
    thresholds = sorted({*edges, limit / NEAR})
    for begin in range(0, runs, chunk):
        size = min(chunk, runs - begin)
        counts = observe(model, rng, runs=size, seconds=seconds, thresholds=tuple(thresholds))
        kept = [index for index, edge in enumerate(thresholds) if edge in edges]
        near = counts.over[thresholds.index(limit / NEAR)]
        yield Windows(share, replace(counts, over=counts.over[kept]), near)


def counted(found: Sequence[ProportionComparison]) -> Rates:
    """Count false verdicts."""
    return Rates(len(found), sum(item.keeps for item in found), sum(item.breaks for item in found))


def independent_rates(window: Windows, alpha: float) -> Rates:
    """Judge by Clopper and Pearson's interval, as if requests were independent."""
    total = window.counts.n.sum(axis=1).astype(float)
    bad = window.bad.sum(axis=1).astype(float)
    high = np.where(bad < total, betaincinv(bad + 1, np.maximum(total - bad, 1), 1 - alpha), 1.0)
    low = np.where(bad > 0, betaincinv(np.maximum(bad, 1), total - bad + 1, alpha), 0.0)
    return Rates(len(total), int((high < window.share).sum()), int((low > window.share).sum()))


def our_rates(window: Windows) -> Rates:
    """Judge each window as the product does."""
    criterion = window.criterion()
    return counted([window.compare(run, criterion) for run in range(len(window.bad))])


def unsteady(counts: Counts) -> int:
    """Count windows that are found unsteady; all of them are stationary."""
    found = 0
    for n, total in zip(counts.n, counts.total, strict=True):
        drift = detect_drift([float(t) / float(k) if k else None for k, t in zip(n, total, strict=True)])
        found += drift is not None and not drift.steady
    return found


def early_stopping_rates(window: Windows, *, naive: bool = False) -> Rates:
    """Stop each window at the first interim analysis that decides; naively: each at full alpha."""
    length = window.bad.shape[1]
    plan, found = analysis_plan(length), []
    for run in range(len(window.bad)):
        for analysis, moment in enumerate(plan.moments_s):
            share = 1.0 if naive else plan.alpha_share(analysis)
            compared = window.compare(run, window.criterion(moment).spending(share), moment)
            if compared.keeps or compared.breaks or analysis == plan.final:
                found.append(compared)
                break
    return counted(found)


def pooled_rates(window: Windows, runs: int) -> Rates:
    """Judge windows that are `runs` independent runs end to end."""
    lengths = [window.bad.shape[1] // runs] * runs
    criterion = window.criterion(runs=lengths)
    return counted([window.compare(row, criterion, runs=lengths) for row in range(len(window.bad))])


def differing(
    rng: np.random.Generator, *, runs: int, seconds: int, pooled: int, uniform: bool = False
) -> Windows:
    """Return pools of runs that differ: each run has its own true share.

    It is log-normal around the limit's, or `uniform` from none to twice as much.

    Within a run requests are independent, so that the runs' difference is all there is to find.
    """
    share, each = 0.05, 100
    scale = sqrt(log(1 + SPREAD**2))
    if uniform:
        shares = 2 * share * rng.random((runs, pooled))
    else:
        shares = share * np.exp(rng.normal(-(scale**2) / 2, scale, (runs, pooled)))
    bad = rng.binomial(each, np.repeat(np.minimum(shares, 1.0), seconds, axis=1))
    n = np.full_like(bad, each)
    return Windows(share, Counts(n, bad[None], n.astype(np.float64)))


def joined(window: Windows, runs: int) -> Windows:
    """Put every `runs` windows end to end; each has its own steady start, as runs at other times have."""
    counts = window.counts
    rows, seconds = counts.n.shape
    shape = (rows // runs, seconds * runs)
    kept = rows // runs * runs
    return Windows(
        window.share,
        Counts(
            counts.n[:kept].reshape(shape),
            counts.over[:, :kept].reshape(len(counts.over), *shape),
            counts.total[:kept].reshape(shape),
        ),
        None if window.near is None else window.near[:kept].reshape(shape),
    )


def family_rates(window: Windows, objectives: int) -> tuple[Rates, Rates]:
    """Take every `objectives` windows as the objectives of one gate, all of them at their limits.

    Returns how often any one is breached, and any one by Holm; met: all of them, which is what a tier asks.
    """
    criterion = window.criterion()
    compared = [window.compare(run, criterion) for run in range(len(window.bad))]
    plain, corrected = Rates(0), Rates(0)
    for begin in range(0, len(compared) - objectives + 1, objectives):
        family = compared[begin : begin + objectives]
        met = all(item.keeps for item in family)
        breached = [item.breaks for item in family]
        holds = holm([item.p_breach for item in family], criterion.breached)
        plain += Rates(1, met, any(breached))
        corrected += Rates(1, met, any(b and h for b, h in zip(breached, holds, strict=True)))
    return plain, corrected
