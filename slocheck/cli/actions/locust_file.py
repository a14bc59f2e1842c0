"""What a run would say of a Locust file, before any load: it is imported in a process of its own."""

from slocheck.cli import wiring
from slocheck.pipeline.scenario_file import scenario_path
from slocheck.scenario.loader import SUFFIXES
from slocheck.spec.model import Spec


def user_classes(spec: Spec, allowed_targets: tuple[str, ...]) -> tuple[str, ...]:
    """Import the spec's Locust file as a run does, and return its user classes; none for other scenarios.

    Args:
        spec: Overrides applied.
        allowed_targets: Hosts other than this machine that the file may connect to.

    Raises:
        UsageError: A run would refuse it, with the same words.
    """
    if scenario_path(spec).suffix in SUFFIXES:
        return ()
    with wiring.engine_for(spec, seed=0, processes=1, allowed_targets=allowed_targets) as engine:
        return engine.load().user_classes
