"""The load engine's interface to the rest of slocheck. Imports neither Locust nor gevent."""

import platform
import queue
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Self, TypeVar

from slocheck.errors import GeneratorError, UsageError
from slocheck.evidence.forbidden import ForbiddenConnection, merged
from slocheck.evidence.merge import RecordingBuilder
from slocheck.evidence.model import Ending, FileResult, LoadHealth, LoadResult, Tick
from slocheck.evidence.recording import BEFORE_LOAD
from slocheck.evidence.warnings import RunWarning
from slocheck.load.launch import start_master
from slocheck.load.machine_limits import check_capacity
from slocheck.load.master.scheduling import behind_the_load
from slocheck.load.master_process import MasterProcess, proxy_warnings
from slocheck.load.messaging.machine_messages import Listening, ProgressLine
from slocheck.load.messaging.messages import (
    FileDone,
    FinishWindow,
    ListenerRuns,
    LoadBegan,
    LoadDone,
    PrepareLoad,
    Progress,
    ScenarioLoaded,
    ScenarioRefused,
    SecondPassed,
    StartLoad,
    StillPreparing,
    StopLoad,
    WorkersFailed,
    WorkersReady,
)
from slocheck.load.phases import Phases
from slocheck.plan.load_plan import LoadPlan

PREPARE_S = 30.0
STOP_S = 2.0
LEAVE_S = 3.0
LISTENERS_S = 25.0
"""How long the Locust file's listeners may take after the result, in a process that no longer responds."""
_SILENCE_S = 60.0
_Expected = TypeVar("_Expected", ScenarioLoaded, WorkersReady)


@dataclass(frozen=True, slots=True)
class ScenarioInfo:
    """What `LoadEngine.prepare` learned about the scenario.

    Attributes:
        user_classes: Names of the user classes that will run.
        versions: Versions of python and locust.
        warnings: What the user should know before the load begins.
        starts: What is sent before the schedule, in words; empty if nothing is.
    """

    user_classes: tuple[str, ...]
    versions: Mapping[str, str]
    warnings: tuple[RunWarning, ...] = ()
    starts: str = ""


class LoadEngine:
    """Runs one plan, once: `prepare`, then `run`; `stop` and `kill` may come from a signal handler.

    Use it as a context manager: whatever happens, no child process outlives it. Engines share nothing: a
    process may make several runs, one after the other.
    """

    def __init__(
        self,
        plan: LoadPlan,
        launch: Callable[[], subprocess.Popen[bytes]] = start_master,
        *,
        listening: Listening | None = None,
        tell: Callable[[str], object] = lambda _text: None,
    ) -> None:
        """Take the plan, and a function that returns a master's process; `prepare` calls it.

        With `listening`, the workers are on other machines; `tell` is called with what they do before.
        """
        self._plan, self._listening, self._tell = plan, listening, tell
        self._launch = launch
        self._phases = Phases(plan)
        self._master: MasterProcess | None = None
        self._on_output: Callable[[bytes], None] = lambda _block: None
        self._builder = RecordingBuilder(plan.thresholds_ns, plan.endpoints)
        self._versions: dict[str, str] = {"python": platform.python_version()}
        self._stop_at: float | None = None
        self._killed = False
        self._done_received = False
        self._load_start = self._origin = 0.0
        self._second = 0
        self._health = LoadHealth(planned_users=plan.users, users=0, workers=())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all child processes; a master that has sent its result may clean up first."""
        master, self._master = self._master, None
        if master is None:
            return
        if self._listening is not None and not self._killed and not self._done_received:
            master.send(StopLoad())  # so that the other machines are notified
            master.close(LEAVE_S)
        else:
            master.close(LEAVE_S if self._done_received else 0.0)

    def check(self) -> None:
        """Check that this machine has the open files and ports for the load; raises UsageError."""
        if self._listening is None:  # else each machine checks its share
            check_capacity(self._plan)

    def listen(self, take: Callable[[bytes], None]) -> None:
        """Pass all that the scenario prints and logs from now on to `take`, in a separate thread."""
        self._on_output = take

    def prepare(self) -> ScenarioInfo:
        """Load the scenario and start the workers; nothing is sent to the target.

        Raises:
            UsageError: The scenario cannot be run; says where and why.
            GeneratorError: The workers did not start.
        """
        self._master = MasterProcess(self._launch(), self._on_output)
        self._master.send(PrepareLoad(self._plan, self._listening))
        loaded = self._expect(ScenarioLoaded)
        ready = self._expect(WorkersReady)
        self._versions |= ready.versions
        warned = (*proxy_warnings(), *ready.warnings)
        return ScenarioInfo(loaded.user_classes, dict(self._versions), warned, ready.starts)

    def _expect(self, kind: type[_Expected]) -> _Expected:
        """Return the message of this kind, the next one expected from the master."""
        assert self._master is not None
        try:
            message = self._master.receive(PREPARE_S)
            while isinstance(message, StillPreparing | ProgressLine):
                if isinstance(message, ProgressLine):
                    self._tell(message.text)
                message = self._master.receive(PREPARE_S)
        except queue.Empty:
            self.close()
            if kind is ScenarioLoaded:
                raise UsageError(
                    f"{self._plan.scenario}: was not imported within {PREPARE_S:g} s; "
                    "a Locust file must not wait or loop outside of its users"
                ) from None
            raise GeneratorError(f"the workers were not connected within {PREPARE_S:g} s") from None
        if isinstance(message, kind):
            return message
        complaint = f": {text}" if (text := self._master.complaint()) else ""
        how = self._master.how_it_ended() if message is None else "sent an unexpected message"
        self.close()
        if isinstance(message, ScenarioRefused):
            raise UsageError(message.text)
        if isinstance(message, WorkersFailed):
            raise GeneratorError(f"{message.text}{complaint}")
        raise GeneratorError(f"the load generator {how} before the load{complaint}")

    def run(self, on_tick: Callable[[Tick], None]) -> LoadResult:
        """Send the load and block until it is drained; `on_tick` is called once a second.

        Raises:
            GeneratorError: The engine was not prepared.
        """
        if self._master is None:
            raise GeneratorError("the engine was not prepared")
        self._load_start = self._origin = time.time()
        self._master.send(StartLoad())
        with behind_the_load():
            return self._follow(on_tick)

    def _follow(self, on_tick: Callable[[Tick], None]) -> LoadResult:
        """Read the master's messages until the load is drained, or the master is gone."""
        while (message := self._receive()) is not None:
            match message:
                case LoadBegan():
                    self._load_start, self._origin = message.load_start, message.origin
                case SecondPassed():
                    on_tick(self._tick(message))
                case LoadDone():
                    return self._with_file_result(self._done(message))
        return self._cut_off()

    def _with_file_result(self, result: LoadResult) -> LoadResult:
        """Return the result with the Locust file's own judgement; a file that hangs costs only that part."""
        assert self._master is not None
        running, until = "the load generator", time.monotonic() + LISTENERS_S
        while (message := self._receive(until)) is not None:
            match message:
                case ListenerRuns():
                    running = message.name
                case FileDone():
                    return _with_file(result, message.file, message.forbidden)
        code = self._master.exit_code()
        how = (
            f"left the process with exit code {code}"
            if code >= 0
            else f"did not end within {LISTENERS_S:g} s"
        )
        return _with_file(
            result, FileResult(max(0, code), running if code > 0 else "", {}, (f"{running} {how}",))
        )

    def _receive(self, until: float = inf) -> Progress | None:
        """Return the master's next message; None when the master is gone, too slow to stop, or silent."""
        assert self._master is not None
        heard = time.monotonic()
        while True:
            try:
                return self._master.receive(0.1)
            except queue.Empty:
                now = time.monotonic()
            too_slow = self._stop_at is not None and now > self._stop_at + STOP_S
            if too_slow or now > min(until, heard + _SILENCE_S + self._plan.drain_s):
                self._master.kill()

    def finish(self) -> None:
        """End the window with the current second, then drain as at the planned end."""
        self._phases.finish(self._second)
        if self._master is not None:
            self._master.send(FinishWindow())

    def stop(self) -> None:
        """Stop the load cleanly within 2 s; `run` returns what was recorded, as interrupted."""
        if self._stop_at is None:
            self._stop_at = time.monotonic()
            if self._master is not None:
                self._master.send(StopLoad())

    def kill(self) -> None:
        """Kill all child processes; `run` returns what was received until now."""
        self._killed = True
        if self._master is not None:
            self._master.kill()

    def _tick(self, passed: SecondPassed) -> Tick:
        """Add one second."""
        for delta in passed.deltas:
            self._builder.add_delta(delta)
        self._second, self._health = passed.second, passed.health or self._health
        window_s = self._phases.measured(self._second)
        recording = self._builder.recording(self._phases.warmup_s, window_s)
        return Tick(self._second, passed.phase, passed.users, recording)

    def _done(self, done: LoadDone) -> LoadResult:
        """Return the result of a run that its master completed."""
        self._done_received = True
        return self._result(
            done.ending,
            done.error,
            health=done.health,
            measured_s=done.measured_s,
            starts=(done.load_start, done.origin),
            end_after=done.end_after,
        )

    def _cut_off(self) -> LoadResult:
        """Return what is known about a run whose master is gone."""
        assert self._master is not None
        how = self._master.how_it_ended()
        stopped = self._killed or self._stop_at is not None
        complaint = f": {text}" if (text := self._master.complaint()) else ""
        return self._result(
            Ending.INTERRUPTED if stopped else Ending.GENERATOR_LOST,
            "" if stopped else f"the load generator's master {how}{complaint}",
            health=self._health,
            measured_s=self._phases.measured(self._second),
            starts=(self._load_start, self._origin),
            end_after=float(self._second),
        )

    def _result(
        self,
        ending: Ending,
        error: str,
        *,
        health: LoadHealth,
        measured_s: int,
        starts: tuple[float, float],
        end_after: float,
    ) -> LoadResult:
        load_start, origin = starts
        recording = self._builder.recording(self._phases.warmup_s, measured_s).added_up()
        early = any(BEFORE_LOAD in part.seconds for part in recording.parts())
        return LoadResult(
            recording=recording,
            health=health,
            ending=ending,
            load_start=load_start,
            window_start=origin + self._phases.warmup_s if self._phases.warmup_s or early else load_start,
            end=origin + end_after,
            versions=self._versions,
            error=error,
        )


def _with_file(
    result: LoadResult, file: FileResult, forbidden: tuple[ForbiddenConnection, ...] = ()
) -> LoadResult:
    """Add what the Locust file says about a finished run to what was known before."""
    errors = Counter(result.health.file.listener_errors) + Counter(file.listener_errors)
    file = replace(file, listener_errors=dict(errors))
    places = merged((*result.health.forbidden, *forbidden))
    return replace(result, health=replace(result.health, file=file, forbidden=places))
