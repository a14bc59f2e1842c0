"""What a user should know of a run although it does not change the verdict."""

from dataclasses import dataclass

NOT_A_HISTOGRAM = "not-a-histogram"
"""Code of the warning that something else has the histogram's name."""

NOT_COMPARED = "not-compared"
"""Code of the warning that a run was not compared with earlier ones as was asked."""


@dataclass(frozen=True, slots=True)
class RunWarning:
    """One warning about a run.

    Attributes:
        code: Stable kebab-case word that says what it is about, such as ``bucket-boundary``; for machines.
        text: One sentence without a full stop: what was seen and, if there is one, the remedy.
    """

    code: str
    text: str
