"""How many requests a proof takes."""

from scipy.special import betaincinv

FEW = 64

INTERIM_ANALYSES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""When a run that stops as soon as it is decided is looked at, as shares of its longest duration."""


def spending(look: int) -> float:
    """Return the share of alpha that may be spent at a look, counted from 0; all of them add up to 1.

    In proportion to t**2 - t'**2 (Kim and DeMets 1987): stopping at the first look that happens to look
    good, without it, would be wrong far more often than stated.
    """
    before = INTERIM_ANALYSES[look - 1] if look else 0.0
    return INTERIM_ANALYSES[look] ** 2 - before**2


def requests_needed(share: float, alpha: float, bad: int = 0) -> int:
    """Return the fewest independent requests, `bad` of them bad, that prove a share below `share`.

    The smallest n whose Clopper-Pearson upper end at one-sided `alpha` lies below `share` (0..1); without a
    bad one that is the rule of three. ValueError when the share cannot be proven with any n.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share to prove lies between 0 and 1, not at {share}")

    def proves(n: int) -> bool:
        return n > bad and float(betaincinv(bad + 1, n - bad, 1 - alpha)) < share

    high = FEW
    while not proves(high):
        high *= 2
    low = bad
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proves(middle) else (middle, high)
    return high
