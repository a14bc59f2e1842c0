"""What flags and environment variables change of a spec."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Overrides:
    """What flags and environment variables change for this run; None: as in the spec.

    Attributes:
        options: Words for the Locust file's own options, in addition to the spec's.
    """

    target: str | None = None
    prometheus: str | None = None
    gate: str | None = None
    scenario: str | None = None
    users: int | None = None
    duration: float | None = None
    warmup: float | None = None
    rate: float | None = None
    options: tuple[str, ...] = ()
