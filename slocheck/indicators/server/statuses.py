"""Which of the server's counted responses failed, which were unexpected, and which were served."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from slocheck.indicators.samples import NoData
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.selections import (
    EVERYTHING,
    Both,
    Either,
    HasStatus,
    Selection,
    Unexpected,
    Without,
    WithStatus,
)
from slocheck.spec.model import FailureRule

MOSTLY = Fraction(1, 2)
"""Beyond this share of unexpected responses the server counted something other than what was meant."""
MOST_NAMED = 3
"""The most statuses that a message names."""
_UNEXPECTED_REMEDY = "correct the requests, or name the statuses under failures: expected or statuses"
_UNREADABLE_REMEDY = (
    "write status_label under preset with a label that has the HTTP status, or source: client"
)


@dataclass(frozen=True, slots=True)
class StatusRule:
    """The responses that are bad for error rate and latency, as a status label shows.

    A status that the failure rule does not name, and that the scenario does not expect, is neither a success
    nor a failure: possibly bad, and not served.

    Attributes:
        label: The label with the status.
        rule: The spec's.
        client: What the client saw, and what of it the scenario expects.
    """

    label: str
    rule: FailureRule
    client: ClientCounts

    @property
    def failed(self) -> Selection:
        """The series of surely failed requests."""
        return WithStatus(self.label, self.rule.statuses, surely=True)

    @property
    def maybe_failed(self) -> Selection:
        """The series of requests that failed, or may have.

        A series without a status is left out if the client saw only successes.
        """
        maybe: Selection = WithStatus(self.label, self._possible_failures, surely=False)
        if self.all_succeeded:
            maybe = Both(maybe, HasStatus(self.label))
        return Either(self.failed, maybe)

    @property
    def possibly_bad(self) -> Selection:
        """The series of requests that failed or were not what was meant, or may be one of these."""
        return Either(self.maybe_failed, self.unexpected)

    @property
    def all_succeeded(self) -> bool:
        """Whether the client saw only successes, in a load that got responses."""
        client = self.client
        meant = all(status in client.accepted or self.rule.succeeds(status) for status in client.statuses)
        return client.window_sent > 0 and meant and not client.failed_responses and not client.no_response

    @property
    def _possible_failures(self) -> tuple[str, ...]:
        """The failures that a label such as ``4xx`` may hide; the client's responses speak for the group."""
        families = {str(status)[0] for status in self.client.statuses}
        return tuple(
            status
            for status in self.rule.statuses
            if not status.isdigit() or status[0] not in families or int(status) in self.client.statuses
        )

    @property
    def not_served(self) -> Selection:
        """The series of requests that surely did not succeed."""
        sure = Unexpected(
            self.label, self.rule, self.client.statuses, self.client.maybe_accepted, surely=True
        )
        return Either(self.failed, sure)

    @property
    def unexpected(self) -> Selection:
        """The series of requests with a status that spec and scenario do not name, or possibly so."""
        return Unexpected(self.label, self.rule, self.client.statuses, self.client.accepted, surely=False)

    @property
    def unreadable(self) -> Selection:
        """The series whose label is not a status, so that they may be of failed requests."""
        if not self.label or self.all_succeeded:
            return Without(EVERYTHING)
        return Without(HasStatus(self.label))


def unexpected_responses(metric: str, counted: Counted, statuses: StatusRule) -> tuple[str, ...] | NoData:
    """Say how many responses had an unexpected or unreadable status: notes, or NoData if most had one."""
    found: list[str] = []
    total = counted.total()
    for wanted, what, remedy in (
        (statuses.unexpected, "had the unexpected status", _UNEXPECTED_REMEDY),
        (statuses.unreadable, f"have no HTTP status in the label {statuses.label}, but", _UNREADABLE_REMEDY),
    ):
        number = counted.total(wanted)
        if not number:
            continue
        named = _listed(_most_first(counted, wanted, statuses.label))
        seen = f"{round(number):,} of {round(total):,} responses in {metric} {what} {named}"
        if number > MOSTLY * total:
            return NoData(f"{seen}; {remedy}")
        found.append(f"{seen}: they count as possibly bad")
    return tuple(found)


def _most_first(counted: Counted, wanted: Selection, label: str) -> list[str]:
    """Return the label's values in the series that are wanted, the most frequent first."""
    by_value: dict[str, Fraction] = {}
    for labels, part in counted.parts:
        if wanted(labels):
            value = labels.get(label) or "nothing"
            by_value[value] = by_value.get(value, Fraction(0)) + part.total
    return sorted(by_value, key=lambda value: by_value[value], reverse=True)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (" or another" if len(names) > MOST_NAMED else "")
