"""Shares of two groups in the same blocks of time: does one differ from the other by more than chance?

What changes in time changes both, so the differences within a block are compared with their own spread
(paired t-test, Student 1908). Their standard error is at least that of independent requests.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slocheck.statistics.special import t_cdf

Whole = NDArray[np.int64]
LEAST_BLOCKS = 6
"""Blocks in which both groups sent something; fewer say too little of the spread."""


@dataclass(frozen=True, slots=True)
class PairedShares:
    """Two shares of the same blocks.

    Attributes:
        one: Share of the first group, 0..1.
        other: Share of the other.
        p_value: Chance of such a difference, or a larger one, if both are alike, 0..1.
    """

    one: float
    other: float
    p_value: float


def compare_paired(one: tuple[Whole, Whole], other: tuple[Whole, Whole]) -> PairedShares | None:
    """Compare the shares of two groups, each as counts and totals by block, shape (B,).

    Returns:
        None if fewer than `LEAST_BLOCKS` blocks have requests of both.
    """
    both = (one[1] > 0) & (other[1] > 0)
    blocks = int(both.sum())
    if blocks < LEAST_BLOCKS:
        return None
    (bad, total), (rest_bad, rest_total) = (
        (x[both].astype(float), n[both].astype(float)) for x, n in (one, other)
    )
    differences = bad / total - rest_bad / rest_total
    pooled = float((bad.sum() + rest_bad.sum()) / (total.sum() + rest_total.sum()))
    independent = float((pooled * (1 - pooled) * (1 / total + 1 / rest_total)).sum()) / blocks**2
    variance = max(float(differences.var(ddof=1)) / blocks, independent)
    shares = float(bad.sum() / total.sum()), float(rest_bad.sum() / rest_total.sum())
    if variance <= 0:
        return PairedShares(*shares, 1.0)
    t = abs(float(differences.mean())) / variance**0.5
    return PairedShares(*shares, min(1.0, 2 * (1 - t_cdf(blocks - 1, t))))
