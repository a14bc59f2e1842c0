"""How sure a verdict has to be, and on what condition."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a verdict has to be.

    Attributes:
        level: Such as 19/20: one of the levels that were tried by simulation.
        bursts: The longest time, seconds, for which failures or slow requests may come in one burst. What
            lies within one such time then counts as one independent request at most. None: no condition.
    """

    level: Fraction
    bursts: Fraction | None = None
