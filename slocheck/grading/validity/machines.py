"""Is the load of several machines one load? Their clocks have to be known."""

from slocheck.documents.words import quantity
from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.model import Evidence
from slocheck.grading.assessment import Finding
from slocheck.grading.validity.affected import limited_by_load
from slocheck.spec.model import Spec

MAX_BOUND_S = 0.25
"""Largest error of a machine's clock offset: a quarter of a slice."""
MAX_MOVED_S = 0.05
"""Largest change of the offset during a run."""


def on_machine(evidence: Evidence, worker: str) -> str:
    """Return the end of a message about a worker: its machine; empty if there is only one machine."""
    names = (machine.machine for machine in evidence.health.machines if worker in machine.workers)
    return next((f" on {name}" for name in names), "")


def machine_clocks(spec: Spec, evidence: Evidence) -> list[Finding]:
    """The offset of each machine's clock is known, and did not change; no finding for a single machine."""
    machines = evidence.health.machines
    if not machines:
        return []
    wrong = [text for machine in machines if (text := _fault(machine))]
    if wrong:
        affected = limited_by_load(spec)
        return [Finding("machine-clocks", valid=False, message="; ".join(wrong), affects=affected)]
    bound = max(machine.clock_bound or 0.0 for machine in machines)
    ahead = max((machine.clock_offset for machine in machines), key=abs)
    clocks = f"clocks of {quantity(len(machines), 'machine')} known to within {_shown(bound)}"
    text = f"{clocks}, the furthest {_shown(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}"
    return [Finding("machine-clocks", valid=True, message=f"{text}, corrected")]


def _shown(seconds: float) -> str:
    return f"{seconds:,.3f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _fault(machine: MachineHealth) -> str:
    """Say what is wrong with a machine's clock; empty if nothing is."""
    bound, moved = machine.clock_bound, machine.clock_moved
    if bound is None or moved is None:
        when = "before the load" if bound is None else "after the load"
        return f"the clock of {machine.machine} could not be compared {when}: the machine did not respond"
    if not bound <= MAX_BOUND_S:
        return (
            f"the clock of {machine.machine} is known only to within {_shown(bound)}, allowed "
            f"{MAX_BOUND_S * 1000:g} ms: messages take too long; use a coordinator that is nearer"
        )
    if not abs(moved) <= MAX_MOVED_S:
        return (
            f"the clock of {machine.machine} moved by {_shown(abs(moved))} during the run, allowed "
            f"{MAX_MOVED_S * 1000:g} ms, so its seconds do not match the other machines'; it may have been "
            "suspended"
        )
    return ""
