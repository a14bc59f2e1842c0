"""What a run would say about a Locust file, before any load: its processes are started, and ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from slocheck.cli import wiring
from slocheck.evidence.warnings import RunWarning
from slocheck.pipeline.scenario_file import scenario_path
from slocheck.scenario.loader import SUFFIXES
from slocheck.spec.model import Spec


@dataclass(frozen=True, slots=True)
class LocustFile:
    """What is known about a Locust file that a run would use; empty for a declarative scenario.

    Attributes:
        classes: Names of its user classes.
        starts: What its users send before the schedule, in words; empty if they send nothing.
        warnings: What the user should know before a run.
    """

    classes: tuple[str, ...] = ()
    starts: str = ""
    warnings: Sequence[RunWarning] = ()


def look_into(spec: Spec, allowed_targets: tuple[str, ...], *, processes: int = 1) -> LocustFile:
    """Import the spec's Locust file and fire its `init` as a run does, in master and workers; send nothing.

    Args:
        spec: Overrides applied.
        allowed_targets: Hosts other than this machine that the file may connect to.
        processes: Worker processes.

    Raises:
        UsageError: A run would refuse it, with the same message.
        GeneratorError: Its processes did not start.
    """
    if scenario_path(spec).suffix in SUFFIXES:
        return LocustFile()
    with wiring.engine_for(spec, seed=0, processes=processes, allowed_targets=allowed_targets) as engine:
        info = engine.prepare()
        return LocustFile(info.user_classes, info.starts, info.warnings)
