"""The machines that sent the load, where these were others than the coordinator's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MachineHealth:
    """One machine with its worker processes.

    Attributes:
        machine: What it is called.
        address: Where its connection came from; empty: not known.
        workers: Its workers, as `WorkerHealth` names them.
        clock_offset: How far its clock was ahead of the coordinator's before the load, seconds. Its slices
            and arrivals are corrected by it.
        clock_bound: Largest error of that, seconds; None: it could not be measured.
        clock_moved: How much the offset changed until the end, seconds; None: it was not measured again.
    """

    machine: str
    address: str
    workers: tuple[str, ...]
    clock_offset: float = 0.0
    clock_bound: float | None = None
    clock_moved: float | None = None
