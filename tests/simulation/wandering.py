"""A share of bad requests that wanders: how often it is judged wrongly where the limit is its true mean."""

from dataclasses import dataclass
from math import exp, sqrt

import numpy as np

from tests.simulation.models import ARRIVALS, Counts
from tests.simulation.rates import Windows


@dataclass(frozen=True, slots=True)
class Wandering:
    """Independent requests whose chance to be bad has a memory, as a load from elsewhere would cause it.

    Attributes:
        share: Its mean, 0..1.
        memory_s: After so many seconds the logarithm of the chance is correlated by 1/e (AR(1)).
        spread: Standard deviation of the logarithm.
    """

    share: float
    memory_s: float
    spread: float

    def windows(self, rng: np.random.Generator, runs: int, seconds: int) -> Windows:
        """Draw windows at the exact limit."""
        kept = exp(-1 / self.memory_s)
        noise = rng.normal(size=(seconds, runs))
        level = noise[0]
        bad = np.empty((runs, seconds), dtype=np.int64)
        for second in range(seconds):
            level = kept * level + sqrt(1 - kept**2) * noise[second] if second else level
            chance = self.share * np.exp(self.spread * level - self.spread**2 / 2)
            bad[:, second] = rng.binomial(round(ARRIVALS), np.minimum(1.0, chance))
        n = np.full_like(bad, round(ARRIVALS))
        return Windows(self.share, Counts(n, bad[None], n.astype(np.float64)))


WANDERING = tuple(
    Wandering(share, memory_s, spread)
    for share, spread in ((0.05, 1.0), (0.01, 0.5))
    for memory_s in (5.0, 20.0, 60.0)
)
