"""The machines that sent the load, where these were others than the coordinator's."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MachineLoad:
    """What a machine sent in the window.

    Attributes:
        block_s: Seconds of a block; the window is divided into equal ones, of which the last may be shorter.
        sent: Requests of each block.
        not_ok: Those that failed or had an unexpected response, of each block.
        over: For each block, the ok requests at or over each threshold of the recording.
        latencies: Histogram of the ok requests: bucket index to count.
        schedule_lag_p99: How late its arrivals began, seconds; 0 in the closed model.
    """

    block_s: int = 1
    sent: tuple[int, ...] = ()
    not_ok: tuple[int, ...] = ()
    over: tuple[tuple[int, ...], ...] = ()
    latencies: Mapping[int, int] = field(default_factory=dict)
    schedule_lag_p99: float = 0.0


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
        targets: Addresses of the target that its workers connected to.
        load: What it sent.
    """

    machine: str
    address: str
    workers: tuple[str, ...]
    clock_offset: float = 0.0
    clock_bound: float | None = None
    clock_moved: float | None = None
    targets: tuple[str, ...] = ()
    load: MachineLoad = field(default_factory=MachineLoad)
