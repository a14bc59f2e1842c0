"""What each endpoint returned: are these the responses that were meant?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slocheck.evidence.recording import Recording, SliceCounts, only_refused
from slocheck.spec.model import Endpoint, FailureRule


@dataclass(frozen=True, slots=True)
class EndpointResponses:
    """The responses of one endpoint: of the window, or of the whole load where the window has none.

    Attributes:
        endpoint: What was asked.
        total: Responses of any status.
        unexpected: Those with an unexpected status.
        statuses: Those that the finding names, by status code, most frequent first.
        refused: Nothing was accepted, and every response was a 3xx or a 4xx other than 429.
    """

    endpoint: Endpoint
    total: int
    unexpected: int
    statuses: tuple[tuple[int, int], ...]
    refused: bool

    @property
    def unexpected_share(self) -> float:
        """The share of responses that were not meant, 0..1; all of them where everything was refused."""
        return 1.0 if self.refused else self.unexpected / self.total


def responses_of(recording: Recording, rule: FailureRule) -> Iterator[EndpointResponses]:
    """Yield the responses of each endpoint that has any."""
    for item in recording.endpoints:
        window = tuple(recording.window_slices(item.endpoint))
        parts = window if any(_responded(part) for part in window) else item.slices
        if any(_responded(part) for part in parts):
            yield _of_endpoint(item.endpoint, parts, rule)


def _of_endpoint(endpoint: Endpoint, parts: Sequence[SliceCounts], rule: FailureRule) -> EndpointResponses:
    statuses: Counter[int] = Counter()
    for part in parts:
        statuses.update({status: count for status, count in part.statuses.items() if status})
    refused = only_refused(parts)
    named = statuses if refused else Counter({s: n for s, n in statuses.items() if rule.unexpected(s)})
    return EndpointResponses(
        endpoint,
        total=statuses.total(),
        unexpected=sum(part.unexpected for part in parts),
        statuses=tuple(sorted(named.items(), key=lambda pair: (-pair[1], pair[0]))),
        refused=refused,
    )


def _responded(part: SliceCounts) -> int:
    return sum(count for status, count in part.statuses.items() if status)
