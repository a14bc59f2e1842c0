"""What an objective is graded on: one of four plain records, each with its bounds.

All of slocheck's indicators but two are shares of bad requests; see `Share`. Each side (client,
server) yields a sample per objective and limit, or a `NoData` that says why there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Display:
    """The indicator's value for people, in base units, as bounds; equal if exactly known.

    Attributes:
        low: Smallest value the data allow; None if nothing is known.
        high: Largest; ``inf`` if unbounded.
    """

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Slices:
    """Per-slice counts of one share, all of the same length.

    Attributes:
        n: Requests.
        bad: Bad for certain.
        bad_upper: Bad or possibly bad; None if it is certain which were bad.
        references: For latency, counts at or over lower thresholds, down to a tenth of the limit (failures
            included).
        runs: If several runs are pooled, how many slices each has, in order; else None.
        slice_s: Length of a slice, seconds.
        near: Whether a request came near the limit, or may have: only then do the references count.
    """

    n: tuple[int, ...]
    bad: tuple[int, ...]
    bad_upper: tuple[int, ...] | None = None
    references: tuple[tuple[int, ...], ...] = ()
    runs: tuple[int, ...] | None = None
    slice_s: float = 1.0
    near: bool = True

    @property
    def borrowed(self) -> tuple[tuple[int, ...], ...]:
        """The references, if a request came near enough to the limit for them to say anything about it."""
        return self.references if self.near else ()


@dataclass(frozen=True, slots=True)
class Share:
    """A share of bad requests over the window: latency, errors, unavailability, cache misses.

    Attributes:
        total: Requests (or lookups) in the window, as counted.
        low: Exact lower bound of the bad share, 0..1.
        high: Exact upper bound; equal to `low` if it is exactly known.
        display: The indicator's usual value: the percentile, the error rate, the hit rate.
        slices: For the statistics; None if the source gives totals alone.
        notes: What widened the bounds: reset, tail_unknown, a limit inside a bucket, ...
        bucket_limited: All that is open is on which side of the limit the requests of one bucket were. The
            client, never faster than the server for the same requests, may settle it.
        outage: How many of the bad ones fell into outages, in which not one request was served.
        counted: The share of the counted requests alone, if a restart within the load lost the others, all
            of them the client's own; else None. The client knows what became of those.
        own_only: A server counted these, and all of them were the client's.
    """

    total: int
    low: Fraction
    high: Fraction
    display: Display
    slices: Slices | None = None
    notes: tuple[str, ...] = ()
    bucket_limited: bool = False
    outage: int = 0
    counted: "Share | None" = None
    own_only: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """Successful requests per second and instance.

    Attributes:
        low: Exact lower bound over the window, 1/s.
        high: Exact upper bound.
        offered: Attempted requests per second and instance; a limit above it cannot be reached.
        ceiling: The rate at which every slice would have served its `n`: what was offered in the open model,
            else the best slice's; per second and instance.
        slices: What could have been served, and as "bad" what was not.
        notes: What widened the bounds.
        closed: Users waited for responses, so it is not known what could have been served.
        server_alone: A server counted it, and does not know what was offered in each slice.
    """

    low: Fraction
    high: Fraction
    offered: Fraction
    ceiling: Fraction = Fraction(0)
    slices: Slices | None = None
    notes: tuple[str, ...] = ()
    closed: bool = False
    server_alone: bool = False

    @property
    def offer_is_known(self) -> bool:
        """Whether each slice's `n` was offered; else it is what the best slice served."""
        return not self.closed and not self.server_alone


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, of a custom PromQL objective; `points` are the range it was reduced from."""

    value: Fraction
    points: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class NoData:
    """There is nothing to grade, and why; never a pass.

    `source_failed` marks what a failing source caused, as opposed to no traffic at all. `left_to_client`:
    the service exports no metric for it, so only the client's numbers are graded.
    """

    reason: str
    source_failed: bool = False
    left_to_client: bool = False


Sample = Share | Rate | Scalar | NoData


def shortfall(served: Sequence[int], offered: Sequence[int] | None = None, *, slice_s: float = 1.0) -> Slices:
    """Return what each slice could have served and did not: what was offered, or else the best slice's."""
    could = tuple(offered) if offered is not None else (max(served, default=0),) * len(served)
    missed = (max(0, most - count) for most, count in zip(could, served, strict=True))
    return Slices(could, tuple(missed), slice_s=slice_s)
