"""What the tests of the lean client share: one list of requests, as a Locust file and as a scenario."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model.load_profile import Stage
from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.load_runs import Enough, Run, run, sent_of

LEAN = "LeanHttpUser"
DECLARATIVE = "declarative"
OPEN = "declarative, open model"
LEAN_OPEN = "LeanHttpUser, open model"
KINDS = (LEAN, LEAN_OPEN, DECLARATIVE, OPEN)

FILE = """
    from locust import constant, task
    from slocheck.users import LeanHttpUser

    CALLS = {calls!r}

    class Asking(LeanHttpUser):
        wait_time = constant({think})

        @task
        def ask(self):
            for method, path, size, timeout in CALLS:
                self.client.request(
                    method, path, data="b" * size or None, timeout=timeout, name=path
                )
                self.wait()
"""


@dataclass(frozen=True)
class Call:
    """One request that each virtual user sends in its turn.

    Attributes:
        path: Also its name.
        method: Such as ``GET``.
        size: Bytes of its body.
        timeout: Seconds for the whole response.
    """

    path: str
    method: str = "GET"
    size: int = 0
    timeout: float = 30.0

    @property
    def name(self) -> str:
        """Its endpoint."""
        return f"{self.method} {self.path}"


def write_calls(folder: Path, kind: str, calls: Sequence[Call], *, think: float = 0.03) -> str:
    """Write calls as a Locust file or a scenario; returns its path."""
    if kind in (LEAN, LEAN_OPEN):
        listed = [(call.method, call.path, call.size, call.timeout) for call in calls]
        return write_scenario(folder, FILE.format(calls=listed, think=think))
    steps = [
        {
            call.method.lower(): call.path,
            "timeout": f"{round(call.timeout * 1000)}ms",
            **({"body": "b" * call.size} if call.size else {}),
        }
        for call in calls
    ]
    path = folder / "scenario.yaml"
    path.write_text(json.dumps({"think": f"{round(think * 1000)}ms", "flows": [{"steps": steps}]}))
    return str(path)


def plan_for(url: str, folder: Path, kind: str, calls: Sequence[Call], **changes: object) -> LoadPlan:
    """Return a plan of at most a minute for calls; in the open model as many users as may be needed."""
    options: dict[str, object] = {"users": 4, "duration_s": 60}
    think = changes.pop("think", 0.03)
    assert isinstance(think, float)
    if kind in (OPEN, LEAN_OPEN):
        options |= {"rate": (Stage(10, 10, 60),), "users": 60}
    return make_plan(url, write_calls(folder, kind, calls, think=think), **{**options, **changes})


def run_calls(
    url: str,
    folder: Path,
    kind: str,
    calls: Sequence[Call],
    *,
    each: int = 1,
    until: Enough | None = None,
    **changes: object,
) -> Run:
    """Run calls until that many of each were recorded, and check that the run is complete."""
    plan = plan_for(url, folder, kind, calls, **changes)
    ended = run(plan, until=until or sent_of(*(call.name for call in calls), each=each))
    assert ended.result.error == ""
    assert ended.result.health.exceptions == {}
    assert ended.result.health.unrecorded == 0
    assert ended.result.recording.window_s < plan.duration_s
    return ended
