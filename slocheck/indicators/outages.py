"""Outages: seconds in a row in which not one request was served."""

from collections.abc import Iterator, Sequence

MIN_OUTAGE_S = 5
"""Shorter ones may be chance."""

MIN_OUTAGE_REQUESTS = 20
"""With fewer requests it may be chance that each of them failed."""

EDGES_S = 2
"""The seconds in which an outage begins and ends may hold none but bad requests, and yet not be all of it."""


def requests_in_outages(sent: Sequence[int], unserved: Sequence[int], *, bursts_s: float = 0.0) -> int:
    """Return how many requests fell into outages.

    Args:
        sent: Requests of each second, in order, shape (S,).
        unserved: Those of them that were not served, shape (S,).
        bursts_s: Only outages that surely lasted longer than two bursts in a row count: others are expected.
    """
    return sum(
        requests
        for seconds, requests in _outages(sent, unserved)
        if seconds >= MIN_OUTAGE_S
        and requests >= MIN_OUTAGE_REQUESTS
        and (not bursts_s or seconds - EDGES_S > 2 * bursts_s)
    )


def _outages(sent: Sequence[int], unserved: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield each outage's length (seconds) and requests; a second in which nothing was sent does not end it.

    While requests wait for a timeout, whole seconds may pass in which none is sent.
    """
    first = last = requests = 0
    for second, (count, bad) in enumerate(zip(sent, unserved, strict=True)):
        if count and bad == count:
            first = first if requests else second
            last, requests = second, requests + count
        elif count and requests:
            yield last - first + 1, requests
            requests = 0
    if requests:
        yield last - first + 1, requests
