"""Runs of slocheck and of Locust alone, struck by the same fault."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.builders.load_plans import write_scenario
from tests.e2e.support.cli import start_slocheck, write_spec
from tests.faults.catalogue import Seen, seen_of
from tests.support.ports import free_port
from tests.support.waiting import wait_until

WORKLOAD = "users: 4, spawn_rate: 100/s, warmup: 0s, duration: 10s"
USERS = ("-u", "4", "-r", "100")
LOCUST_LASTS = "15s"
SENDING = "sending load"
LONGEST_S = 240
LONGEST_END_S = 120
Act = Callable[[subprocess.Popen[str]], object]
"""Strikes a program while its load is on."""


def ours(
    folder: Path,
    url: str,
    scenario: str,
    *options: str,
    act: Act | None = None,
    sending: Callable[[], object] = lambda: True,
    workload: str = WORKLOAD,
    change: Callable[[str], str] = lambda text: text,
) -> Seen:
    """Run slocheck with a Locust file.

    Args:
        folder: Of the run.
        url: Of the target.
        scenario: Text of the Locust file.
        options: Of the command line.
        act: Strikes it while its load is on.
        sending: Whether the load has begun.
        workload: Of the spec.
        change: Changes the spec's text.
    """
    text = Path(write_scenario(folder, scenario)).read_text()
    spec = write_spec(folder, url, scenario=text, workload=workload, more="confidence: none\n")
    spec.write_text(change(spec.read_text()))
    said = folder / "stderr"
    with said.open("w") as stderr:
        process = start_slocheck("run", "--json", "--allow-concurrent", *options, cwd=folder, stderr=stderr)
    done = _ended(process, act, lambda: SENDING in said.read_text() and sending())
    return seen_of(subprocess.CompletedProcess((), process.returncode, done, said.read_text()), folder)


def locust(
    folder: Path,
    url: str,
    scenario: str,
    *options: str,
    act: Act | None = None,
    sending: Callable[[], object] = lambda: True,
) -> Seen:
    """Run the same file with Locust alone, as its manual says, and count what it reports."""
    try:
        done = plain(folder, url, scenario, *options, act=act, sending=sending)
    except subprocess.TimeoutExpired as error:
        return Seen(None, f"does not end within {error.timeout:g} s")
    return Seen(done.returncode, counted(done))


def plain(
    folder: Path,
    url: str,
    scenario: str,
    *options: str,
    act: Act | None = None,
    sending: Callable[[], object] = lambda: True,
) -> subprocess.CompletedProcess[str]:
    """Run a file with Locust alone; returns its exit code, its statistics and what it said."""
    arguments = ["-f", write_scenario(folder, scenario), "--headless", "--json", "-H", url]
    port = str(free_port())  # else its workers join the master of another control
    arguments += ["--master-bind-port", port, "--master-port", port]
    said, printed = folder / "stderr", folder / "stdout"
    with said.open("w") as stderr, printed.open("w") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-m", "locust", *arguments, *USERS, "-t", LOCUST_LASTS, *options],
            stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, text=True, cwd=folder,
        )  # fmt: skip
    _ended(process, act, sending)  # on a busy machine Locust may never say that all its users run
    return subprocess.CompletedProcess((), process.returncode, printed.read_text(), said.read_text())


def counted(done: subprocess.CompletedProcess[str]) -> str:
    """Return what Locust reports of its requests: each process prints a list, the master's is the last."""
    last = done.stdout.rfind("\n[") + 1
    if not done.stdout.startswith("[", last):
        return "no statistics"
    entries, _ = json.JSONDecoder().raw_decode(done.stdout[last:])
    requests, failed = (sum(entry[key] for entry in entries) for key in ("num_requests", "num_failures"))
    return f"{requests} requests, {failed} failed"


def _ended(process: subprocess.Popen[str], act: Act | None, ready: Callable[[], object]) -> str:
    """Strike a process and wait for its end; returns its output, and leaves no child behind."""
    with ExitStack() as stack:
        stack.callback(process.communicate)
        stack.callback(process.kill)
        if act is not None:
            wait_until(lambda: ready() or process.poll() is not None, "the load is on", deadline=LONGEST_S)
            code = process.poll()
            assert code is None, f"it ended before anything could happen to it, with exit code {code}"
            stack.callback(_kill_all, psutil.Process(process.pid).children(recursive=True))
            act(process)
        out, _ = process.communicate(timeout=LONGEST_END_S)
        return out


def _kill_all(processes: list[psutil.Process]) -> None:
    """Kill what a killed process may have left behind."""
    for process in processes:
        if process.is_running():
            process.kill()
