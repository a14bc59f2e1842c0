"""A machine whose clock differs: its seconds and arrivals are those of the coordinator."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from slocheck.load.messaging.token_files import make_token_files
from slocheck.pipeline.archive import load_evidence
from tests.e2e.support.cli import write_spec
from tests.e2e.support.machines import Command, Target, commands, slocheck_words, tokens
from tests.e2e.support.servers.load_server import LoadServer
from tests.e2e.support.slow_way import SlowWay
from tests.support.ports import free_port
from tests.support.waiting import DEADLINE_S, wait_until

AHEAD_S = 5000
RATE, WARMUP_S, DURATION_S = 40, 1, 6
OTHER_CLOCK = ("unshare", "--time", "--monotonic", str(AHEAD_S), "--boottime", str(AHEAD_S), "--fork")
SCENARIO = 'flows:\n  - name: look\n    steps:\n      - get: "/ok"\n'


def start(folder: Path, *words: str | Path, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """Start a command line of slocheck."""
    command = [*prefix, sys.executable, "-m", "slocheck", *map(str, words)]
    return subprocess.Popen(
        command, cwd=folder, env=os.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_a_clock_that_is_hours_ahead_changes_nothing(tmp_path: Path) -> None:
    """Arrivals of both machines interleave: each second has as many as one machine would have sent in it.

    Each machine adds up what its two workers report, and forwards it once a second.

    The kernel gives the second machine's processes a clock of their own (a time namespace). Unlike a library
    that is loaded before (faketime), it holds for timers and waits in the kernel as well, which arrivals use,
    so nothing but the clock's reading differs. It leaves the wall clock as it is, of which workers use
    differences alone.
    """
    coordinator, worker = tmp_path / "main.token", tmp_path / "worker.token"
    make_token_files(coordinator, worker)
    address = f"127.0.0.1:{free_port()}"
    with LoadServer() as server:
        workload = f"rate: {RATE}/s, warmup: {WARMUP_S}s, duration: {DURATION_S}s"
        spec = write_spec(
            tmp_path, server.url, workload=workload, scenario=SCENARIO, scenario_name="a.yaml",
            more="confidence: none\n",
        )  # fmt: skip
        run = ("run", spec, "--workers", "2", "--listen", address, "--token-file", coordinator, "--json")
        join = ("worker", "--join", address, "--token-file", worker, "--processes", "2")
        started = [
            start(tmp_path, *run),
            start(tmp_path, *join, "--name", "near"),
            start(tmp_path, *join, "--name", "ahead", prefix=OTHER_CLOCK),
        ]
        try:
            out, err = started[0].communicate(timeout=DEADLINE_S)
        finally:
            for process in started:
                process.kill()
                process.communicate()
    assert started[0].returncode == 0, err
    result = json.loads(out)
    messages = {each["code"]: each["message"] for each in result["findings"]}
    assert re.search(
        rf"the furthest ({AHEAD_S - 1:,}\.9|{AHEAD_S:,}\.0)\d+ s ahead", messages["machine-clocks"]
    )
    (evidence,) = (tmp_path / "reports").glob("*/evidence.json.gz")
    recorded = load_evidence(evidence.parent)
    assert [machine.machine for machine in recorded.health.machines] in (["near", "ahead"], ["ahead", "near"])
    assert [worker.complete for worker in recorded.health.workers] == [True] * 4
    seconds = range(WARMUP_S + DURATION_S)
    assert recorded.recording.scope(seconds=seconds).counts.sent.tolist() == [RATE] * len(seconds)
    machines = {machine["name"]: machine for machine in result["machines"]}
    assert [machines[name]["requests"] for name in ("near", "ahead")] == [RATE * DURATION_S / 2] * 2
    assert {target for machine in machines.values() for target in machine["targets"]} == {"127.0.0.1"}
    assert machines["ahead"]["clock_offset_s"] - machines["near"]["clock_offset_s"] > AHEAD_S - 1


def test_a_clock_that_moved_during_the_run_makes_it_invalid(tmp_path: Path) -> None:
    """What is known of a clock is what messages tell: here it moves because one way becomes longer.

    No clock is changed: that of a time namespace cannot be once a process runs in it, the machine's own is
    everybody's, and a library that is loaded before (faketime) changes waits as well. A way that takes
    160 ms more in one direction moves the offset that is measured after the load by 80 ms, as a clock would
    that went wrong by as much.
    """
    coordinator, worker = tokens(tmp_path)
    port = free_port()
    with (
        Target(socket.create_server(("127.0.0.1", 0))) as target,
        SlowWay(("127.0.0.1", port)) as way,
        commands() as started,
    ):
        workload = "rate: 40/s, warmup: 0s, duration: 4s"
        spec = write_spec(tmp_path, target.url, workload=workload, scenario=SCENARIO, scenario_name="a.yaml")
        run = ("run", spec, "--workers", "1", "--listen", f"127.0.0.1:{port}", "--token-file", coordinator)
        join = ("worker", "--join", way.address, "--token-file", worker, "--processes", "1", "--name", "far")
        main = Command(slocheck_words(*run, "--json"), cwd=tmp_path, name="main")
        started.append(main)
        started.append(Command(slocheck_words(*join), cwd=tmp_path, name="far"))
        wait_until(lambda: target.counts.total() > 10, main.err)
        way.back_s = 0.16
        assert main.wait() == 4, main.err
    findings = {each["code"]: each for each in json.loads(main.out)["findings"]}
    assert not findings["machine-clocks"]["valid"]
    message = findings["machine-clocks"]["message"]
    found = re.fullmatch(r"the clock of far moved by ([\d.]+) ms during the run, allowed 50 ms, .+", message)
    assert found, message
    assert 60 < float(found[1]) < 250
