"""What a process knows of a step once it was sent, and need not work out for each request."""

from slocheck.load.http.http1.heads import Head, Traits
from slocheck.load.http.sink import RecorderSink
from slocheck.load.recording.recorder import EndpointCounter
from slocheck.load.recording.redirects import REDIRECT_STATUSES
from slocheck.scenario.compile.compiled import CompiledStep

_MAX_PLAIN = 512


class KnownStep:
    """A step, and what all its requests have in common.

    Attributes:
        counter: Counts its requests.
        limit_ns: How long one may take, nanoseconds.
        plain: Traits of whole responses that are successes whatever request, body and user they belong to.
    """

    __slots__ = ("_step", "counter", "limit_ns", "plain")

    def __init__(self, step: CompiledStep, counter: EndpointCounter, limit_ns: int) -> None:
        self.counter = counter
        self.limit_ns = limit_ns
        self.plain: set[Traits] = set()
        self._step = step

    def learn(self, head: Head, sink: RecorderSink) -> None:
        """Note the head of a response that was a success, if the next one with its traits is one as well."""
        by_head = self._step.check is None and not head.cookies and head.status not in REDIRECT_STATUSES
        if by_head and sink.is_success(head.status):
            if len(self.plain) >= _MAX_PLAIN:
                self.plain.clear()
            self.plain.add(head.traits)
