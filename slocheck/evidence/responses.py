"""What each endpoint returned: are these the responses that were meant?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from slocheck.evidence.recording import Recording, only_refused
from slocheck.evidence.scope import Scope
from slocheck.spec.model import Endpoint, FailureRule


@dataclass(frozen=True, slots=True)
class EndpointResponses:
    """The responses of one endpoint: of the window, or of the whole load if the window has none.

    Attributes:
        endpoint: What was asked.
        total: Responses of any status, and requests that were cut short.
        unexpected: Those with an unexpected status.
        statuses: Those that the finding names, by status code, most frequent first.
        refused: Nothing was accepted, and every response was a 3xx or a 4xx other than 429.
        cut_short: Of the unexpected ones, requests that the scenario ended before their response.
    """

    endpoint: Endpoint
    total: int
    unexpected: int
    statuses: tuple[tuple[int, int], ...]
    refused: bool
    cut_short: int = 0

    @property
    def unexpected_share(self) -> float:
        """The share of responses that were not meant, 0..1; all of them if everything was refused."""
        return 1.0 if self.refused else self.unexpected / self.total


def responses_of(recording: Recording, rule: FailureRule) -> Iterator[EndpointResponses]:
    """Yield the responses of each endpoint that has any."""
    for item in recording.endpoints:
        scope = recording.scope(item.endpoint)
        if not _responses(scope):
            scope = item.whole_load()
        if statuses := _responses(scope):
            yield _of_endpoint(item.endpoint, scope, statuses, rule)


def _responses(scope: Scope) -> dict[int, int]:
    """Return the responses by status."""
    return {status: count for status, count in scope.statuses.items() if status}


def _of_endpoint(
    endpoint: Endpoint, scope: Scope, statuses: Mapping[int, int], rule: FailureRule
) -> EndpointResponses:
    refused = only_refused(int(scope.total.ok[0]), statuses) and not scope.is_unanswered
    named = statuses if refused else {s: n for s, n in statuses.items() if rule.unexpected(s)}
    unexpected = int(scope.total.unexpected[0])
    cut_short = max(0, unexpected - sum(named.values()))
    return EndpointResponses(
        endpoint,
        total=sum(statuses.values()) + cut_short,
        unexpected=unexpected,
        statuses=tuple(sorted(named.items(), key=lambda pair: (-pair[1], pair[0]))),
        refused=refused,
        cut_short=cut_short,
    )
