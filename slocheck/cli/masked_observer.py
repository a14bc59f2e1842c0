"""What is shown during a run, without its secrets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slocheck.evidence.model import Tick
from slocheck.grading.assessment import Assessment
from slocheck.masking import mask
from slocheck.pipeline.ports import Observer


@dataclass(frozen=True, slots=True)
class MaskedObserver:
    """Passes everything to another observer, with secrets in texts masked.

    Attributes:
        observer: The other one.
        secrets: What must not show.
    """

    observer: Observer
    secrets: Sequence[str]

    def step(self, text: str) -> None:
        """Note the step that begins."""
        self.observer.step(mask(text, self.secrets))

    def warn(self, text: str) -> None:
        """Note what the user should know before the load begins."""
        self.observer.warn(mask(text, self.secrets))

    def update(self, tick: Tick, grade: Callable[[], Assessment]) -> None:
        """Note one more second of load; the views show numbers and names of the spec."""
        self.observer.update(tick, grade)
