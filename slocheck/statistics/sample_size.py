"""How many requests, or how much longer a run, a proof needs."""

from collections.abc import Callable

from slocheck.statistics.special import beta_sf

FEW = 64
"""Where the search for a sample size begins."""

LARGEST_FACTOR = 1e6
"""A run that would have to be longer by more than this factor will never decide."""


def requests_needed(share: float, alpha: float, bad: int = 0) -> int:
    """Return the fewest independent requests, `bad` of them bad, that prove a share below `share`.

    The smallest n whose Clopper-Pearson upper end at one-sided `alpha` lies below `share` (0..1); without a
    bad one that is the rule of three. ValueError when the share cannot be proven with any n.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share to prove lies between 0 and 1, not at {share}")

    def proves(n: int) -> bool:
        return n > bad and beta_sf(bad + 1, n - bad, share) < alpha

    high = FEW
    while not proves(high):
        high *= 2
    low = bad
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proves(middle) else (middle, high)
    return high


def smallest_factor(decides: Callable[[float], bool]) -> float | None:
    """Bisect the smallest factor above 1 for which `decides` holds, to seven digits.

    None if it takes more than `LARGEST_FACTOR`.
    """
    high = 2.0
    while not decides(high):
        high *= 2
        if high > LARGEST_FACTOR:
            return None
    low = high / 2
    while high - low > 1e-7 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high
