"""The latency histogram: log-linear, 256 buckets an octave, exact in whole nanoseconds.

Below 512 ns each nanosecond is its own bucket; from there on a bucket is at most 1/256 (0.4 %) of its
lower bound wide. An index is an integer and needs no table, so histograms of different processes and
seconds merge by adding counts. This is the layout that HdrHistogram made common, without its upper end.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SUB_BITS = 8
MAX_INDEX = (54 << _SUB_BITS) + 511
"""Of the bucket that holds the largest latency of 64 bits, 2^63 - 1 ns."""


def bucket_index(ns: int) -> int:
    """Return the bucket that holds a latency of `ns` nanoseconds; ValueError for a negative one."""
    if ns < 0:
        raise ValueError(f"a latency cannot be negative, this one is {ns} ns")
    shift = max(0, ns.bit_length() - _SUB_BITS - 1)
    return (shift << _SUB_BITS) + (ns >> shift)


def bucket_indices(ns: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Return `bucket_index` of each element; none may be negative."""
    import numpy as np  # noqa: PLC0415 - the core stays light for those who only read histograms

    exponent = np.frexp(ns.astype(np.float64))[1].astype(np.int64)
    # from 2**53 on a float may have been rounded up to the next power of two
    exponent -= (ns >> np.maximum(exponent - 1, 0)) == 0
    shift = np.maximum(exponent - _SUB_BITS - 1, 0)
    return (shift << _SUB_BITS) + (ns >> shift)


def bucket_bounds(index: int) -> tuple[int, int]:
    """Return a bucket's bounds in nanoseconds: it holds exactly the latencies low <= ns < high."""
    shift = max(0, (index >> _SUB_BITS) - 1)
    low = (index - (shift << _SUB_BITS)) << shift
    return low, low + (1 << shift)


def bucket_middles(indices: "NDArray[np.int64]") -> "NDArray[np.float64]":
    """Return the middle of each bucket's smallest and largest latency, nanoseconds."""
    import numpy as np  # noqa: PLC0415 - as above

    shift = np.maximum(0, (indices >> _SUB_BITS) - 1)
    low = (indices - (shift << _SUB_BITS)) << shift
    middles: NDArray[np.float64] = (2 * low + (np.int64(1) << shift) - 1) / 2
    return middles


def merge(histograms: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Add sparse histograms (bucket index to count)."""
    total: dict[int, int] = {}
    for histogram in histograms:
        for index, count in histogram.items():
            total[index] = total.get(index, 0) + count
    return total


def quantile_bounds(histogram: Mapping[int, int], q: Fraction) -> tuple[int, int]:
    """Return the smallest and largest latency, in ns, that the q-quantile can have.

    The quantile of N latencies is the k-th smallest with k = ceil(q N) (the nearest-rank definition),
    at least the first. ValueError for an empty histogram or a `q` outside 0..1.
    """
    total = sum(histogram.values())
    if total == 0:
        raise ValueError("an empty histogram has no quantile")
    if not 0 <= q <= 1:
        raise ValueError(f"a quantile lies in 0..1, not at {q}")
    rank = max(1, ceil(q * total))
    seen = 0
    for index in sorted(histogram):
        seen += histogram[index]
        if seen >= rank:
            break
    low, high = bucket_bounds(index)
    return low, high - 1


def count_at_or_over(histogram: Mapping[int, int], ns: int) -> tuple[int, int]:
    """Return the fewest and the most latencies that can be `ns` nanoseconds or more.

    For a threshold that was counted while recording, use that exact count instead.
    """
    surely = possibly = 0
    for index, count in histogram.items():
        low, high = bucket_bounds(index)
        surely += count if low >= ns else 0
        possibly += count if high > ns else 0
    return surely, possibly
