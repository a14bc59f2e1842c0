"""Processes and signals: a lost worker, a dead master, an interrupt, strangers on the master's socket."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgpack  # type: ignore[import-untyped]  # ships no types; comes with Locust
import psutil
import pytest
import zmq

from slocheck import __version__
from slocheck.errors import GeneratorError, UsageError
from slocheck.evidence.model import Ending, LoadResult, Tick
from slocheck.load.engine import LoadEngine
from slocheck.load.messaging.protocol import PROTOCOL
from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.load_runs import BOTH, both_clients, run, sent_of
from tests.e2e.support.servers.load_server import LoadServer
from tests.support.processes import ending, running
from tests.support.waiting import DEADLINE_S, wait_until

LASTING_S = 600
"""Longer than a test waits for processes to end for another reason than that their time is over."""


def masters() -> list[psutil.Process]:
    """Return the master processes of this process's engines."""
    return [child for child in running(psutil.Process().children()) if "slocheck.load" in child.cmdline()]


def workers() -> list[psutil.Process]:
    """Return the worker processes of the one engine that is prepared."""
    (master,) = masters()
    return master.children()


def run_until(
    tmp_path: Path, act: Callable[[LoadEngine], object], *, behaviour: str = "x"
) -> tuple[LoadResult, int]:
    """Run a plan that does not end by itself, and act once, under load.

    That is once both users have sent, and what they did was reported unless their requests hang.

    Returns:
        The result, and how many requests the server got.
    """
    acted = False

    def on_tick(tick: Tick) -> None:
        nonlocal acted
        loaded = server.counts.total() >= 2 and (behaviour == "hang" or tick.recording.endpoints)
        if loaded and tick.second >= 2 and not acted:
            acted = True
            act(engine)

    with LoadServer() as server:
        plan = make_plan(server.url, both_clients(tmp_path, behaviour), duration_s=LASTING_S)
        with LoadEngine(plan) as engine:
            engine.prepare()
            children = workers()
            result = engine.run(on_tick)
        wait_until(lambda: not running(children), "its workers have ended")
        return result, server.counts.total()


def sent(result: LoadResult) -> int:
    """Sum the requests of a result."""
    return sum(counts.sent for e in result.recording.endpoints for counts in e.slices)


def test_the_master_gives_way_to_its_workers(tmp_path: Path) -> None:
    """Arrivals are due at exact times, the master's sums are not: it delays none, and is never starved."""
    with LoadServer() as server, LoadEngine(make_plan(server.url, both_clients(tmp_path, "x"))) as engine:
        engine.prepare()
        (worker,) = workers()
        (master,) = masters()
        assert os.sched_getscheduler(master.pid) == os.SCHED_BATCH != os.sched_getscheduler(worker.pid)
        assert master.nice() == worker.nice() == psutil.Process().nice()


def test_stop_ends_in_order(tmp_path: Path) -> None:
    """A stop keeps everything recorded, is labelled interrupted, and cuts the window."""
    result, counted = run_until(tmp_path, lambda engine: engine.stop())
    assert result.ending is Ending.INTERRUPTED
    assert sent(result) == counted > 0
    assert 1 <= result.recording.window_s < LASTING_S
    assert result.health.workers[0].complete


def test_workers_end_when_their_master_is_silent(tmp_path: Path) -> None:
    """A stopped master does not stop the load; once it continues, its workers are gone, the run is lost."""

    def stop_the_master(_: LoadEngine) -> None:
        (master,), found = masters(), workers()
        master.suspend()
        try:
            wait_until(lambda: not running(found), "the workers have ended")
        finally:
            master.resume()

    result, _ = run_until(tmp_path, stop_the_master)
    assert result.ending is Ending.GENERATOR_LOST
    assert not result.health.workers[0].complete


UNEVEN = """
    from locust import HttpUser, constant, task

    class Quick(HttpUser):
        wait_time = constant(0.1)

        @task
        def ask(self):
            self.client.get("/delay/1", name="quick")

    class Slow(HttpUser):
        wait_time = constant(0.1)

        @task
        def ask(self):
            self.client.get("/delay/6500", name="slow")
"""


def test_a_worker_that_has_drained_waits_for_the_others(tmp_path: Path) -> None:
    """It does not count as lost, however long another's last request takes: the master is silent then."""
    with LoadServer() as server:
        scenario = write_scenario(tmp_path, UNEVEN)
        plan = make_plan(server.url, scenario, users=2, duration_s=60, drain_s=60, processes=2)
        ended = run(plan, until=lambda _: server.counts["/delay/6500"] > 0)
    assert (ended.result.ending, ended.result.error) == (Ending.COMPLETE, "")
    assert all(worker.complete for worker in ended.result.health.workers)
    assert ended.total("GET slow").ok == server.counts["/delay/6500"] >= 1


def test_stop_does_not_wait_for_a_hung_target(tmp_path: Path) -> None:
    """What hangs when the user stops says nothing about the target: it is unrecorded, not failed."""
    result, counted = run_until(tmp_path, lambda engine: engine.stop(), behaviour="hang")
    assert result.ending is Ending.INTERRUPTED
    assert (sent(result), result.health.unrecorded) == (0, counted)
    assert counted == 2


def test_kill_ends_at_once(tmp_path: Path) -> None:
    """A kill keeps what was received before it."""
    result, counted = run_until(tmp_path, lambda engine: engine.kill())
    assert result.ending is Ending.INTERRUPTED
    assert 0 < sent(result) <= counted
    assert result.recording.window_s >= 1


@pytest.mark.parametrize(
    ("number", "says"),
    [
        pytest.param(signal.SIGKILL, "worker process 1 of 1 was killed by signal 9", id="killed"),
        pytest.param(signal.SIGSTOP, "stopped responding: it was stopped, or is overloaded", id="stopped"),
    ],
)
def test_a_lost_worker_ends_the_run(tmp_path: Path, number: signal.Signals, says: str) -> None:
    """A worker that dies or stops ends the run, named, with what it had reported."""
    result, _ = run_until(tmp_path, lambda _: workers()[0].send_signal(number))
    assert result.ending is Ending.GENERATOR_LOST
    assert says in result.error
    assert not result.health.workers[0].complete
    assert sent(result) > 0


def test_a_killed_master_takes_its_workers_along(tmp_path: Path) -> None:
    """Workers stop with their master, and the CLI keeps the recording."""
    found: list[psutil.Process] = []

    def act(_: LoadEngine) -> None:
        found.extend(workers())
        masters()[0].kill()
        wait_until(lambda: not running(found), "the workers have ended")

    result, _ = run_until(tmp_path, act)
    assert found
    assert result.ending is Ending.GENERATOR_LOST
    assert "master was killed by signal 9" in result.error
    assert sent(result) > 0
    assert not result.health.workers[0].complete


def test_a_dead_cli_takes_its_children_along(tmp_path: Path) -> None:
    """When the process that holds the engine is killed, master and workers end by themselves."""
    program = """
import sys
from slocheck.load.engine import LoadEngine
from slocheck.load.messaging.protocol import PROTOCOL
from tests.builders.load_plans import make_plan
with LoadEngine(make_plan(sys.argv[1], sys.argv[2], duration_s=int(sys.argv[3]))) as engine:
    engine.prepare()
    engine.run(lambda tick: print(tick.second, flush=True))
"""
    with LoadServer() as server:
        arguments = [sys.executable, "-c", program, server.url, both_clients(tmp_path, "x"), str(LASTING_S)]
        with ending(subprocess.Popen(arguments, stdout=subprocess.PIPE)) as holder:
            assert holder.stdout is not None
            assert int(holder.stdout.readline()) > 0
            children = psutil.Process(holder.pid).children(recursive=True)
        assert len(children) == 2
        wait_until(lambda: not running(children), "both have ended")


OF_ANOTHER_VERSION = """
import sys
from locust import HttpUser
from slocheck.load.messaging import protocol

if "slocheck.load.worker.startup" in sys.modules:
    protocol.PROTOCOL = 99

class U(HttpUser):
    pass
"""


def test_a_worker_of_another_version_is_refused(tmp_path: Path) -> None:
    """Its first message shows its version: nothing is sent, and the message says what to do."""
    with LoadServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, OF_ANOTHER_VERSION))
        with LoadEngine(plan) as engine, pytest.raises(GeneratorError) as refusal:
            engine.prepare()
        assert server.counts.total() == 0
    says = (
        rf"worker \S+ speaks protocol 99 \(slocheck {re.escape(__version__)}\), "
        rf"this master {PROTOCOL} \(slocheck {re.escape(__version__)}\): install the same version"
    )
    assert re.match(says, str(refusal.value))


def test_a_process_can_make_several_runs(tmp_path: Path) -> None:
    """One run after the other, each with its own result: nothing of the first is in the second."""
    with LoadServer() as server:
        plan = make_plan(server.url, both_clients(tmp_path, "x"), duration_s=60)
        first = run(plan, until=sent_of(*BOTH))
        counted = server.counts.total()
        second = run(replace(plan, users=1), until=lambda recording: any(recording.endpoints))
        assert (first.sent, second.sent) == (counted, server.counts.total() - counted)
    assert min(first.sent, second.sent) > 0
    assert (first.result.health.planned_users, second.result.health.planned_users) == (2, 1)
    assert [each.result.ending for each in (first, second)] == [Ending.COMPLETE] * 2


def test_nobody_but_the_workers_can_speak_to_the_master(tmp_path: Path) -> None:
    """No process of the load listens on a port; the master rejects even its own user unread."""

    def forge(_: LoadEngine) -> None:
        (master,) = masters()
        for process in (master, *master.children()):
            assert not [c for c in process.net_connections("inet") if c.status == "LISTEN"]
        lines = Path("/proc/net/unix").read_text().splitlines()
        inodes = {str(entry.readlink()) for entry in Path(f"/proc/{master.pid}/fd").iterdir()}
        (name,) = {
            line.split()[7]
            for line in lines
            if "@slocheck-" in line and f"socket:[{line.split()[6]}]" in inodes
        }
        with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
            dealer.setsockopt(zmq.LINGER, 100)
            dealer.setsockopt(zmq.IDENTITY, b"stranger")
            dealer.connect(f"ipc://{name}")
            for message in (
                b"", b"\x00", b"x" * 10_000,
                msgpack.dumps(("client_ready", "2.47.0", "stranger")),
                msgpack.dumps(("quit", None, "guessed")),
                msgpack.dumps(("slocheck", [1, __version__, "unprepared", {"why": "forged"}], "guessed")),
            ):  # fmt: skip
                dealer.send(message)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as raw:
            raw.settimeout(DEADLINE_S)
            raw.connect(name.replace("@", "\0", 1))
            assert raw.recv(64) == b""  # closed without a greeting

    forged = False

    def on_tick(tick: Tick) -> None:
        nonlocal forged
        if not forged:
            forged = True
            forge(engine)
        elif tick.recording.endpoints:
            engine.finish()

    with LoadServer() as server:
        plan = make_plan(server.url, both_clients(tmp_path, "x"), duration_s=60)
        with LoadEngine(plan) as engine:
            engine.prepare()
            result = engine.run(on_tick)
        assert sent(result) == server.counts.total() > 0
    assert result.ending is Ending.COMPLETE
    assert len(result.health.workers) == 1
    assert result.health.workers[0].complete


SHAPE = """
from locust import HttpUser, LoadTestShape

class U(HttpUser):
    pass

class S(LoadTestShape):
    def tick(self):
        return None
"""
RAISES = "secret = 'hush'\ndef inner(divisor):\n    return 1 / divisor\ninner(0)\n"
IMPORTED = "while it is imported"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("x = 1\ndef f(:\n", "scenario.py:2: not valid Python: invalid syntax", id="syntax"),
        pytest.param(RAISES, f"scenario.py:3: raises {IMPORTED}: ZeroDivisionError: division", id="raises"),
        pytest.param("exit(3)\n", f"scenario.py:1: ends the process {IMPORTED}", id="exits"),
        pytest.param("import locust\n", "scenario.py: has no user class; define a subclass", id="no user"),
        pytest.param(SHAPE, "scenario.py: S is a LoadTestShape; the spec says how many", id="shape"),
        pytest.param(None, "scenario.py: no such Locust file", id="missing"),
    ],
)
def test_a_scenario_that_cannot_be_run_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    """The message names file, line and cause, shows no values, and nothing is sent."""
    path = tmp_path / "scenario.py"
    if text is not None:
        path.write_text(text)
    with LoadServer() as server:
        with LoadEngine(make_plan(server.url, str(path))) as engine, pytest.raises(UsageError) as refusal:
            engine.prepare()
        assert server.counts.total() == 0
    assert str(refusal.value).startswith(f"{tmp_path}/{says}")
    assert "hush" not in str(refusal.value)


def test_tags_that_leave_nothing_are_refused(tmp_path: Path) -> None:
    """Tags that no task carries are a usage error, not a run without requests."""
    plan = make_plan("http://127.0.0.1:9", both_clients(tmp_path, "x"), tags=("absent",))
    with (
        LoadEngine(plan) as engine,
        pytest.raises(UsageError, match=r"no task is left with tags \['absent'\]"),
    ):
        engine.prepare()


def test_an_import_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Locust file that loops while it is imported is abandoned, and its process is gone."""
    path = write_scenario(tmp_path, "while True:\n    pass\n")
    monkeypatch.setattr("slocheck.load.engine.PREPARE_S", 3)
    with LoadEngine(make_plan("http://127.0.0.1:9", path)) as engine:
        with pytest.raises(UsageError, match="was not imported within 3 s"):
            engine.prepare()
        assert not masters()


def test_neither_locust_nor_gevent_is_imported_by_the_cli() -> None:
    """The engine's own side stays free of Locust and gevent; what it counts in is numpy's."""
    program = "import sys, slocheck.load.engine; print({'locust', 'gevent'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
