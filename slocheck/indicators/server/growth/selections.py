"""Which series are meant, by their labels: of an objective's requests, with a status, of a job.

A selection is a value, so that what was added up for it once is found again for the next limit.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from slocheck.promql.routes import route_labels, route_matches
from slocheck.spec.model import FailureRule, Objective, Preset
from slocheck.spec.status_values import ALL_STATUSES, statuses_of

Labels = Mapping[str, str]


class Selection(Hashable, Protocol):
    """Tells by its labels whether a series is meant."""

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""


@dataclass(frozen=True, slots=True)
class Everything:
    """All series."""

    def __call__(self, _labels: Labels, /) -> bool:
        """Tell whether a series is meant: any is."""
        return True


EVERYTHING = Everything()


@dataclass(frozen=True, slots=True)
class Pinned:
    """The series with these labels, except those of the routes left out.

    Attributes:
        labels: Label and value pairs, all of which a series has to have; an empty value: without the label.
        route_label: The label that `ignored` is about, and whose value may have a ``*`` for a part.
        ignored: Routes left out.
        status_labels: Labels with a status; a series that adds up those of all statuses is left out.
    """

    labels: tuple[tuple[str, str], ...]
    route_label: str | None = None
    ignored: frozenset[str] = frozenset()
    status_labels: tuple[str, ...] = ()

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""
        if self.route_label and labels.get(self.route_label) in self.ignored:
            return False
        if any(labels.get(label) in ALL_STATUSES for label in self.status_labels):
            return False
        return all(
            route_matches(value, labels.get(label, ""))
            if label == self.route_label
            else labels.get(label, "") == value
            for label, value in self.labels
        )


@dataclass(frozen=True, slots=True)
class WithStatus:
    """The series whose status label stands for one of `statuses`: surely, or at least possibly.

    Attributes:
        label: The label with the status.
        statuses: Exact (``503``) or grouped (``5xx``).
        surely: Whether a series whose label leaves it open is left out.
    """

    label: str
    statuses: tuple[str, ...]
    surely: bool

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""
        return status_share(labels.get(self.label, ""), self.statuses)[0 if self.surely else 1]


@dataclass(frozen=True, slots=True)
class HasStatus:
    """The series whose label is a status, in any form that `statuses_of` reads.

    Attributes:
        label: The label with the status.
    """

    label: str

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""
        return bool(statuses_of(labels.get(self.label, "")))


@dataclass(frozen=True, slots=True)
class Unexpected:
    """The series whose status is neither a success nor a failure by the spec: surely, or at least possibly.

    Attributes:
        label: The label with the status.
        rule: The spec's.
        seen: Statuses that the client saw; what it saw of a grouped status speaks for the group.
        accepted: Statuses that the scenario expects.
        surely: Whether a series whose label leaves it open is left out.
    """

    label: str
    rule: FailureRule
    seen: frozenset[int]
    accepted: frozenset[int]
    surely: bool

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""
        meant = statuses_of(labels.get(self.label, ""))
        if not meant:
            return False  # not a status at all: it may stand for a failure, see `WithStatus`
        if meant[0].isdigit():
            return self._unexpected(int(meant[0]))
        members = [status for status in self.seen if f"{status // 100}xx" in meant]
        if members:
            return (all if self.surely else any)(self._unexpected(status) for status in members)
        named = {*self.rule.statuses, *self.rule.expected, "2xx"}
        return not self.surely and named.isdisjoint(meant)

    def _unexpected(self, status: int) -> bool:
        return self.rule.unexpected(status) and status not in self.accepted


@dataclass(frozen=True, slots=True)
class Either:
    """The series that are in at least one of two selections."""

    one: Selection
    other: Selection

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""
        return self.one(labels) or self.other(labels)


@dataclass(frozen=True, slots=True)
class Without:
    """The series that another selection leaves out."""

    other: Selection

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""
        return not self.other(labels)


@dataclass(frozen=True, slots=True)
class Both:
    """The series that are in both of two selections."""

    one: Selection
    other: Selection

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""
        return self.one(labels) and self.other(labels)


def requests_of(objective: Objective, preset: Preset) -> Pinned:
    """Return the series of an objective's requests: its endpoint's, or all but the routes left out."""
    labels, ignored = route_labels(objective, preset)
    return _of_requests(preset, labels, ignored)


def all_requests(preset: Preset) -> Pinned:
    """Return the series of all requests but those of the routes left out, each request once."""
    return _of_requests(preset, {}, preset.ignore_routes)


def _of_requests(preset: Preset, labels: Labels, ignored: Iterable[str]) -> Pinned:
    by_status = filter(None, (preset.status_label, preset.histogram_status_label))
    return Pinned(
        tuple(sorted(labels.items())),
        preset.route_label,
        frozenset(ignored),
        tuple(dict.fromkeys(by_status)),
    )


def pinned(labels: Labels) -> Pinned:
    """Return the series that have these labels."""
    return Pinned(tuple(sorted(labels.items())))


@lru_cache(maxsize=4096)
def status_share(value: str, statuses: Sequence[str]) -> tuple[bool, bool]:
    """Tell whether a status label's value surely and possibly stands for one of `statuses`.

    Both may be exact (``503``) or grouped (``5xx``). What is not a status at all may stand for anything.
    """
    shares = [_share(one, statuses) for one in statuses_of(value)]
    if not shares:
        return False, True
    return all(surely for surely, _ in shares), any(possibly for _, possibly in shares)


def _share(status: str, statuses: Sequence[str]) -> tuple[bool, bool]:
    """Tell the same for one status."""
    if status in statuses or f"{status[0]}xx" in statuses:
        return True, True
    return False, not status.isdigit() and any(one.startswith(status[0]) for one in statuses)
