"""The load engine as the rest of slocheck sees it. Imports neither Locust nor gevent."""

import platform
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter

from slocheck.errors import GeneratorError, UsageError
from slocheck.evidence.merge import RecordingBuilder, from_plain
from slocheck.evidence.model import Ending, LoadHealth, LoadResult, Tick
from slocheck.evidence.warnings import RunWarning
from slocheck.load.machine_limits import check_capacity
from slocheck.load.master_process import Child
from slocheck.load.phases import Phases
from slocheck.plan.load_plan import LoadPlan

PREPARE_S = 30.0
STOP_S = 2.0
LEAVE_S = 3.0
_SILENCE_S = 60.0
_HEALTH = TypeAdapter(LoadHealth)


@dataclass(frozen=True, slots=True)
class ScenarioInfo:
    """What `LoadEngine.prepare` has found.

    Attributes:
        user_classes: Names of the user classes that will run.
        versions: Of python and locust.
        warnings: What the user should know before the load begins.
    """

    user_classes: tuple[str, ...]
    versions: Mapping[str, str]
    warnings: tuple[RunWarning, ...] = ()


class LoadEngine:
    """Runs one plan, once: `prepare`, then `run`; `stop` and `kill` may come from a signal handler.

    Use it as a context manager: whatever happens, no child process outlives it.
    """

    def __init__(self, plan: LoadPlan, *, prepare_s: float = PREPARE_S) -> None:
        self._plan = plan
        self._prepare_s = prepare_s
        self._phases = Phases(plan)
        self._child: Child | None = None
        self._builder = RecordingBuilder(plan.thresholds_ns)
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
        """End all child processes; a master that has nothing more to say may tidy up first."""
        child, self._child = self._child, None
        if child is not None:
            child.close(LEAVE_S if self._done_received else 0.0)

    @property
    def pid(self) -> int | None:
        """The master's process id, which is its process group's too; None before `prepare`."""
        return self._child.pid if self._child else None

    def prepare(self) -> ScenarioInfo:
        """Load the scenario and start the workers; nothing is sent to the target.

        Raises:
            UsageError: The scenario cannot be run, or not on this machine; says where and why.
            GeneratorError: The workers did not start.
        """
        check_capacity(self._plan)
        self._child = Child(self._plan.environment)
        self._child.send("plan", plan=TypeAdapter(LoadPlan).dump_python(self._plan, mode="json"))
        loaded = self._expect("loaded")
        ready = self._expect("ready")
        self._versions |= ready["versions"]
        warnings = tuple(RunWarning("locust-client", text) for text in ready["warnings"])
        return ScenarioInfo(tuple(loaded["user_classes"]), dict(self._versions), warnings)

    def _expect(self, kind: str) -> dict[str, Any]:
        """Return the line of a kind, the next one expected from the master."""
        assert self._child is not None
        try:
            line = self._child.receive(self._prepare_s)
        except queue.Empty:
            self.close()
            if kind == "loaded":
                raise UsageError(
                    f"{self._plan.scenario}: is not imported within {self._prepare_s:g} s; "
                    "a Locust file must not wait or loop outside of its users"
                ) from None
            raise GeneratorError(f"the workers are not connected within {self._prepare_s:g} s") from None
        if line is not None and line["kind"] == kind:
            return line
        complaint = f": {text}" if (text := self._child.complaint()) else ""
        how = self._child.how_it_ended() if line is None else ""
        self.close()
        if line is not None and line["kind"] == "refused":
            raise UsageError(line["text"])
        what = line["text"] if line is not None else f"the load generator {how} before the load"
        raise GeneratorError(f"{what}{complaint}")

    def run(self, on_tick: Callable[[Tick], None]) -> LoadResult:
        """Send the load and block until it is drained; `on_tick` is called once a second."""
        if self._child is None:
            raise GeneratorError("the engine was not prepared")
        self._load_start = self._origin = time.time()
        self._child.send("start")
        while (line := self._receive()) is not None:
            match line["kind"]:
                case "began":
                    self._load_start, self._origin = line["start"], line["origin"]
                case "second":
                    on_tick(self._tick(line))
                case "done":
                    return self._done(line)
        return self._cut_off()

    def _receive(self) -> dict[str, Any] | None:
        """Return the master's next line; None when it is gone, or too slow to stop."""
        assert self._child is not None
        heard = time.monotonic()
        while True:
            try:
                return self._child.receive(0.1)
            except queue.Empty:
                now = time.monotonic()
            too_slow = self._stop_at is not None and now > self._stop_at + STOP_S
            if too_slow or now > heard + _SILENCE_S + self._plan.drain_s:
                self._child.kill()

    def finish(self) -> None:
        """End the window with the running second, and drain as at its planned end."""
        self._phases.finish(self._second)
        if self._child is not None:
            self._child.send("finish")

    def stop(self) -> None:
        """End the load in order, within 2 s; `run` returns what was recorded, as interrupted."""
        if self._stop_at is None:
            self._stop_at = time.monotonic()
            if self._child is not None:
                self._child.send("stop")

    def kill(self) -> None:
        """End all child processes at once; `run` returns what was received until now."""
        self._killed = True
        if self._child is not None:
            self._child.kill()

    def _tick(self, line: dict[str, Any]) -> Tick:
        """Take in one second."""
        for delta in line["deltas"]:
            self._builder.add_delta(from_plain(delta))
        self._second = line["second"]
        self._health = _HEALTH.validate_python(line["health"])
        window_s = self._phases.driven(self._second)
        recording = self._builder.recording(self._phases.warmup_s, window_s)
        return Tick(self._second, line["phase"], line["users"], recording)

    def _done(self, line: dict[str, Any]) -> LoadResult:
        """Return the result of a run whose master lived to its end."""
        self._done_received = True
        return self._result(
            Ending(line["ending"]),
            line["error"],
            health=_HEALTH.validate_python(line["health"]),
            driven_s=line["driven_s"],
            starts=(line["load_start"], line["origin"]),
            end_after=line["end_after"],
        )

    def _cut_off(self) -> LoadResult:
        """Return what is known of a run whose master is gone."""
        assert self._child is not None
        how = self._child.how_it_ended()
        stopped = self._killed or self._stop_at is not None
        complaint = f": {text}" if (text := self._child.complaint()) else ""
        return self._result(
            Ending.INTERRUPTED if stopped else Ending.GENERATOR_LOST,
            "" if stopped else f"the load generator's master {how}{complaint}",
            health=self._health,
            driven_s=self._phases.driven(self._second),
            starts=(self._load_start, self._origin),
            end_after=float(self._second),
        )

    def _result(
        self,
        ending: Ending,
        error: str,
        *,
        health: LoadHealth,
        driven_s: int,
        starts: tuple[float, float],
        end_after: float,
    ) -> LoadResult:
        load_start, origin = starts
        return LoadResult(
            recording=self._builder.recording(self._phases.warmup_s, driven_s),
            health=health,
            ending=ending,
            load_start=load_start,
            window_start=origin + self._phases.warmup_s if self._phases.warmup_s else load_start,
            end=origin + end_after,
            versions=self._versions,
            error=error,
        )
