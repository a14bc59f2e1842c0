"""Processes are killed, stopped or interrupted, and Locust files fail; the control is Locust alone."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from tests.e2e.support.cli import slocheck
from tests.e2e.support.servers.load_server import LoadServer
from tests.faults.catalogue import Fault, Seen, Strike
from tests.faults.runs import Act, locust, ours
from tests.faults.target_faults import asking
from tests.support.processes import running
from tests.support.waiting import wait_until

PAUSE_S = 3.0
TWO = ("--processes", "2")


def below(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes of a run below the one that was started, parents first."""
    return psutil.Process(process.pid).children(recursive=True)


def send(number: signal.Signals, *, times: int = 1) -> Act:
    """Return an action that sends the run a signal."""

    def act(process: subprocess.Popen[str]) -> None:
        for _ in range(times):
            process.send_signal(number)

    return act


def worker(number: signal.Signals) -> Act:
    """Return an action that sends a signal to one worker: the last process that was started."""
    return lambda process: below(process)[-1].send_signal(number)


def _kill_master(process: subprocess.Popen[str]) -> None:
    """Kill the master: slocheck's is the child of the command, Locust's is the command itself."""
    found = below(process)
    masters = [child for child in found if "slocheck.load" in child.cmdline()]
    (masters or [psutil.Process(process.pid)])[0].kill()


def _pause(process: subprocess.Popen[str]) -> None:
    """Stop everything for a while, as a machine that is paused does."""
    everything = [psutil.Process(process.pid), *below(process)]
    for one in everything:
        one.suspend()
    try:
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() - begun > PAUSE_S, "the pause is over")
    finally:
        for one in everything:
            one.resume()


def _load(act: Act, run: Callable[..., Seen], *options: str, **more: object) -> Strike:
    def strike(folder: Path) -> Seen:
        with LoadServer() as server:
            return run(
                folder, server.url, asking("x"), *options,
                act=act, sending=lambda: server.counts.total() > 50, **more,
            )  # fmt: skip

    return strike


def _during(name: str, ends: Sequence[int], act: Act, *, processes: bool = True, **more: object) -> Fault:
    """Return a fault that strikes under load."""
    options = TWO if processes else ()
    return Fault(name, tuple(ends), _load(act, ours, *options, **more), _load(act, locust, *options))


def _killed_command(folder: Path) -> Seen:
    """The command itself is killed: its processes end, and the run never counts as one with a result."""
    left: list[psutil.Process] = []

    def kill(process: subprocess.Popen[str]) -> None:
        left.extend(below(process))
        process.kill()

    seen = _load(kill, ours)(folder)
    wait_until(lambda: not running(left), "the load has ended", deadline=10)
    graded = slocheck("grade", "latest", cwd=folder)
    said = graded.stderr.strip().replace(str(folder), ".")
    return Seen(seen.end, f"grade latest: exit {graded.returncode}, {said}", seen.wrong)


def _file(name: str, text: str, *ends: int) -> Fault:
    """Return a fault of a Locust file."""

    def under(run: Callable[..., Seen]) -> Strike:
        def strike(folder: Path) -> Seen:
            with LoadServer() as server:
                return run(folder, server.url, text)

        return strike

    return Fault(name, ends, under(ours), under(locust))


FILE = """
    import os
    from locust import HttpUser, constant, events, task

    {top}

    class Asking(HttpUser):
        wait_time = constant(0.05)
        asked = 0

        @task
        def ask(self):
            self.client.get("/x", name="x")
            Asking.asked += 1
            {task}
"""


def _written(top: str = "", task: str = "pass") -> str:
    return FILE.format(top=top, task=task)


STRICT = {"change": lambda text: text.replace("max_stall: 60s", "max_stall: 1s")}
PROCESS_FAULTS = (
    _during("a worker is killed", [4], worker(signal.SIGKILL)),
    _during("a worker is stopped", [4], worker(signal.SIGSTOP)),
    _during("the master is killed", [4], _kill_master),
    _during(f"everything stands still for {PAUSE_S:g} s", [4], _pause, processes=False, **STRICT),
    _during("INT", [130], send(signal.SIGINT), processes=False),
    _during("TERM", [143], send(signal.SIGTERM), processes=False),
    _during("HUP: the terminal is closed", [129], send(signal.SIGHUP), processes=False),
    _during("INT twice", [130], send(signal.SIGINT, times=2), processes=False),
    Fault("the command is killed", (-signal.SIGKILL,), _killed_command, _load(_kill_master, locust)),
)
FILE_FAULTS = (
    _file("raises while it is imported", _written(top="raise ValueError('no shop')"), 2),
    _file("raises in a task", _written(task="raise ValueError('no item')"), 4),
    _file(
        "raises in a listener",
        _written(
            top="@events.request.add_listener\n    def on_request(**_):\n        raise ValueError('no')"
        ),
        4,
    ),
    _file("ends its run: runner.quit()", _written(task="self.environment.runner.quit()"), 4),
    _file("ends its process: os._exit(0)", _written(task="os._exit(0)"), 4),
    _file(
        "writes a header that cannot be sent",
        _written(task="self.client.get('/y', headers={'X': 'a\\nb'})"),
        4,
    ),
    _file("sends nothing", _written().replace('self.client.get("/x", name="x")', "pass"), 3, 4),
)
