"""The load that a run sends."""

from dataclasses import dataclass

from slocheck.documents.position import Position
from slocheck.spec.model.load_profile import ArrivalProcess, Stage

BLOCK = "scenario"
"""The key of a spec that holds a scenario in place of a file."""

DEFAULT_MAX_BODY = 1 << 26
"""Default limit of a response's decoded body, bytes."""
LIST_SEPARATOR = "\0"
"""Separates the values of an option that is a list in the spec; no command line can hold it."""


def is_locust_file(scenario: str) -> bool:
    """Tell by a scenario's path whether it is a Locust file, and not a declarative scenario."""
    return scenario.endswith(".py")


@dataclass(frozen=True, slots=True)
class Workload:
    """What load is sent: in the open model (`rate`) arrivals on a schedule, else users in a loop.

    Attributes:
        scenario: Path as written, relative to the spec's folder.
        users: Virtual users; with stages or in the open model, the largest number at any time.
        spawn_rate: Users started per second, in the closed model.
        warmup: Seconds at the start that are not graded.
        duration: Seconds of the measured window.
        position: Of the ``workload`` key.
        drain: Seconds after the window for requests in flight to end.
        tags: Only tasks with one of these tags; empty: all.
        exclude_tags: Tasks left out.
        rate: Load profile of the arrivals over warm-up and window; empty: closed model.
        stages: Load profile of the users over warm-up and window; empty: a constant number.
        arrivals: How arrivals are spread.
        options: Options that the Locust file adds, as words of a command line; the values of a list in the
            spec have `LIST_SEPARATOR` between them.
        max_body: Limit of a response's decoded body, bytes; a larger one fails.
        old_words: A sentence, without its full stop, for each word in the spec that has a new name.
    """

    scenario: str
    users: int
    spawn_rate: float
    warmup: float
    duration: float
    position: Position
    drain: float = 30.0
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    rate: tuple[Stage, ...] = ()
    stages: tuple[Stage, ...] = ()
    arrivals: ArrivalProcess = ArrivalProcess.JITTERED
    options: tuple[str, ...] = ()
    max_body: int = DEFAULT_MAX_BODY
    old_words: tuple[str, ...] = ()
