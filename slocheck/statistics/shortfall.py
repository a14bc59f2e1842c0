"""What was not served of what is usually served, where nobody knows what could have been."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from slocheck.statistics.blocking import MIN_SLICES

_ROUNDING = 1e-9


def block_size(slices: int, slice_s: float, bursts_s: float) -> int:
    """Return how many slices make a block about as long as a burst, with `MIN_SLICES` blocks or more left."""
    return max(1, min(round(bursts_s / slice_s), slices // MIN_SLICES))


def usual_shortfall(served: Sequence[int], size: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return, for blocks of `size` slices, what each could have served at the usual pace, and what it missed.

    For any pace c a mean is at least c less the mean of max(0, c - Y): what is over c is left out. The usual
    pace is the median block's; that of the best slice is mostly chance, and would make the others miss what
    nobody could have served. The last block takes the remainder.

    Args:
        served: Requests per slice, shape (S,), S at least `size`.
        size: Slices of a block.
    """
    count = len(served) // size
    starts = np.arange(count) * size
    done = np.add.reduceat(np.asarray(served, dtype=np.int64), starts)
    lengths = np.diff(np.append(starts, len(served)))
    pace = float(np.median(done / lengths))
    could = tuple(ceil(pace * length - _ROUNDING) for length in lengths.tolist())
    return could, tuple(max(0, most - got) for most, got in zip(could, done.tolist(), strict=True))
