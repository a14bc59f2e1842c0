"""What the client counted, for the server's counts to be reconciled with."""

from dataclasses import dataclass

from slocheck.evidence.recording import FailureClass, Recording, SliceCounts
from slocheck.spec.model import Endpoint


@dataclass(frozen=True, slots=True)
class ClientCounts:
    """The client's count of the requests that a server-side sample is about.

    Attributes:
        sent: Requests attempted in the whole load, warm-up included; 0: unknown.
        unanswered: Those of the whole load that got no response.
        window_sent: Requests attempted in the window.
        window_unanswered: Those of the window that got no response.
        window_s: The window's length, seconds.
    """

    sent: int
    unanswered: int
    window_sent: int
    window_unanswered: int
    window_s: float


def client_counts(recording: Recording, endpoint: Endpoint | None) -> ClientCounts:
    """Count what was sent to an endpoint, or to all, without requests that failed in the load generator."""
    parts = list(recording.slices(endpoint))
    window = list(recording.window_slices(endpoint))
    return ClientCounts(
        sent=sum(_left(part) for part in parts),
        unanswered=sum(_unanswered(part) for part in parts),
        window_sent=sum(_left(part) for part in window),
        window_unanswered=sum(_unanswered(part) for part in window),
        window_s=float(recording.window_s),
    )


def _left(part: SliceCounts) -> int:
    return part.sent - part.failures.get(FailureClass.GENERATOR, 0)


def _unanswered(part: SliceCounts) -> int:
    return max(0, part.statuses.get(0, 0) - part.failures.get(FailureClass.GENERATOR, 0))
