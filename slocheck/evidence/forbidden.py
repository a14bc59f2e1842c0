"""Connections that were not made because they lead to a host that the user did not allow."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from slocheck.documents.words import quantity, times

MOST_SHOWN = 5
NOT_ALLOWED = "is not an allowed target"
"""What the text of every refused connection and lookup says."""
_OPTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]*")


@dataclass(frozen=True, slots=True)
class ForbiddenConnection:
    """A place that the scenario tried to connect to; nothing was sent there.

    Attributes:
        host: The name that the address was looked up by; without one, the address.
        address: IP address, or what stands for one in another family; empty if none was found.
        port: 0 if there is none.
        count: How often.
    """

    host: str
    address: str
    port: int
    count: int = 1

    def __str__(self) -> str:
        where = f"[{self.address}]" if ":" in self.address else self.address
        place = f"{where}:{self.port}" if self.port else where
        if not place:
            return f"{self.host} (no address found)"
        return place if self.host == self.address else f"{self.host} ({place})"


def merged(forbidden: Iterable[ForbiddenConnection]) -> tuple[ForbiddenConnection, ...]:
    """Return each place once, with its counts added, in the order of their first appearance."""
    counts: Counter[ForbiddenConnection] = Counter()
    for each in forbidden:
        counts[replace(each, count=0)] += each.count
    return tuple(replace(place, count=count) for place, count in counts.items())


def later(
    now: Iterable[ForbiddenConnection], before: Iterable[ForbiddenConnection]
) -> tuple[ForbiddenConnection, ...]:
    """Return what has been added to what a process had tried before."""
    known = {replace(place, count=0): place.count for place in before}
    added = (replace(place, count=place.count - known.get(replace(place, count=0), 0)) for place in now)
    return tuple(place for place in added if place.count > 0)


def forbidden_text(forbidden: Iterable[ForbiddenConnection]) -> str:
    """Say where the scenario tried to connect to, and the options that would allow it."""
    places = merged(forbidden)
    listed = ", ".join(f"{place}{_times(place.count)}" for place in places[:MOST_SHOWN])
    if len(places) > MOST_SHOWN:
        listed += f" and {quantity(len(places) - MOST_SHOWN, 'more place')}"
    are = f"which {NOT_ALLOWED}" if len(places) == 1 else "which are not allowed targets"
    return f"the Locust file tried to connect to {listed}, {are}: add {options_for(places)}"


def _times(count: int) -> str:
    return f" {times(count)}" if count > 1 else ""


def options_for(forbidden: Iterable[ForbiddenConnection]) -> str:
    """Return what to type so that these places are allowed; by address if a name cannot be typed."""
    hosts = (each.host if _OPTION.fullmatch(each.host) else each.address for each in forbidden)
    return " ".join(f"--allow-target {host}" for host in dict.fromkeys(hosts))
