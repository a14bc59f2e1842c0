"""Which of the server's counted responses failed, which were unexpected, and which were served."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from slocheck.indicators.samples import NoData
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.selections import (
    Both,
    Either,
    HasStatus,
    Selection,
    Unexpected,
    WithStatus,
)
from slocheck.spec.model import FailureRule

MOSTLY = Fraction(1, 2)
"""Beyond this share of unexpected responses the server counted something other than what was meant."""
MOST_NAMED = 3
"""The most statuses that a message names."""


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
    def possibly_bad(self) -> Selection:
        """The series of requests that failed or were not what was meant, or may be one of these.

        A series without a status is left out if the client saw only successes.
        """
        maybe: Selection = WithStatus(self.label, self._possible_failures, surely=False)
        if self.all_succeeded:
            maybe = Both(maybe, HasStatus(self.label))
        return Either(Either(self.failed, maybe), self.unexpected)

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


def unexpected_responses(metric: str, counted: Counted, statuses: StatusRule) -> tuple[str, ...] | NoData:
    """Say how many responses had an unexpected status, and which: a note, or NoData if most had one."""
    number, total = counted.total(statuses.unexpected), counted.total()
    if not number:
        return ()
    by_status: dict[str, Fraction] = {}
    for labels, part in counted.parts:
        if statuses.unexpected(labels):
            status = labels[statuses.label]
            by_status[status] = by_status.get(status, Fraction(0)) + part.total
    named = _listed(sorted(by_status, key=lambda status: by_status[status], reverse=True))
    seen = f"{round(number):,} of {round(total):,} responses in {metric} had the unexpected status {named}"
    if number > MOSTLY * total:
        remedy = "correct the requests, or name the statuses under failures: expected or statuses"
        return NoData(f"{seen}; {remedy}")
    return (f"{seen}: they count as possibly bad",)


def _listed(statuses: Iterable[str]) -> str:
    names = list(statuses)
    return ", ".join(names[:MOST_NAMED]) + (" or another" if len(names) > MOST_NAMED else "")
