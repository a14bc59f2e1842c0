"""Where the workers of a run are: on this machine, or (`machines`) on others."""

from collections.abc import Callable
from typing import Protocol

from slocheck.evidence.machines import MachineHealth
from slocheck.load.master.ended_worker import EndedWorker
from slocheck.load.messaging import local_socket
from slocheck.load.messaging.messages import WorkerSettings
from slocheck.load.messaging.reports import ArrivedReport
from slocheck.load.worker.processes import WorkerProcesses
from slocheck.plan.load_plan import LoadPlan


class LostError(Exception):
    """A worker has ended or is silent; the text says which and how."""


class Workers(Protocol):
    """The worker processes of a run, as the master sees them."""

    def use_sockets(self) -> None:
        """Have Locust's runners use the sockets that lead to these workers."""

    def set_up(self, plan: LoadPlan, *, server: object, token: bytes) -> None:
        """Send each worker its settings.

        Args:
            plan: What all do together.
            server: The socket of Locust's master.
            token: Key that signs all further messages.
        """

    def ended(self) -> list[EndedWorker]:
        """Return the processes that have ended."""

    def check(self) -> None:
        """Raise LostError if workers cannot take part any longer, and ScenarioError if they cannot run it."""

    def place(self, worker: str) -> str:
        """Return where a worker is, after its name in a message: `` on NAME``; empty on this machine."""

    def watch(self, on_report: Callable[[ArrivedReport], object]) -> None:
        """Pass on what machines report of their workers; those of this machine report by themselves."""

    def compare_clocks(self, within_s: float) -> None:
        """Compare the clocks of the workers' machines with this one's, before the load and after it."""

    def ahead_ns(self, worker: str) -> int:
        """Return how far a worker's monotonic clock is ahead of this machine's."""

    @property
    def lead_ns(self) -> int:
        """How long an order to a worker may be on its way."""

    def health(self) -> tuple[MachineHealth, ...]:
        """Return what is known of the workers' machines; nothing for this machine."""

    def stop(self, within_s: float, error: str = "") -> None:
        """End all that is left; `error` says why the run was not completed."""


class LocalWorkers:
    """Worker processes on this machine, connected by a Unix socket."""

    def __init__(self, processes: WorkerProcesses) -> None:
        """Take the forked processes."""
        self._processes = processes

    lead_ns = 0

    def watch(self, on_report: Callable[[ArrivedReport], object]) -> None:
        """Do nothing: the workers report to the master itself."""

    def compare_clocks(self, within_s: float) -> None:
        """Do nothing: all processes have the same clock."""

    def ahead_ns(self, _worker: str) -> int:
        """Return 0: all processes have the same clock."""
        return 0

    def health(self) -> tuple[MachineHealth, ...]:
        """Return nothing: there are no other machines."""
        return ()

    def use_sockets(self) -> None:
        """Have Locust's runners use Unix sockets."""
        local_socket.install()

    def set_up(self, plan: LoadPlan, *, server: object, token: bytes) -> None:
        """Listen, and send each process its settings; `ended` finds one that has ended."""
        assert isinstance(server, local_socket.Listener)
        address = server.listen(self._processes.ids)
        self._processes.set_up(WorkerSettings(plan, address, token.hex(), 0))

    def ended(self) -> list[EndedWorker]:
        """Return the processes that have ended."""
        count = len(self._processes.ids)
        return [
            EndedWorker(f"worker process {index + 1} of {count}", code)
            for index, code in self._processes.ended()
        ]

    def check(self) -> None:
        """Do nothing: `ended` says all that is to be known."""

    def place(self, worker: str) -> str:
        """Return nothing: all are on this machine."""
        del worker
        return ""

    def stop(self, within_s: float, error: str = "") -> None:
        """Wait for the processes to end, then kill those that are left."""
        del error
        self._processes.stop(within_s)
