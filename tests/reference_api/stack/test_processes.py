"""Private servers: started once they serve, and gone with the process that started them."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from slocheck.errors import MeasurementError, UsageError
from slocheck.reference_api.stack.processes import Servers
from slocheck.reference_api.stack.programs import HOST, find, free_port
from tests.support.processes import running
from tests.support.waiting import wait_until

SLEEP = ("sleep", "600")
SERVES = (sys.executable, "-m", "http.server", "--bind", HOST)
USER = """
import json, os, sys
from slocheck.reference_api.stack.processes import Servers
with Servers() as servers:
    pids = [servers.start(name, ["sleep", "600"], port=0).pid for name in ("first", "second")]
    print(json.dumps([os.getpid(), pids, str(servers.folder)]), flush=True)
    sys.stdin.read()
"""
"""A process that uses two servers until it is ended."""


def test_servers_end_in_reverse_order_and_leave_no_folder(tmp_path: Path) -> None:
    """A server is up when it listens; at the end each one ends after those that were started later."""
    ended = tmp_path / "ended"
    says = 'trap "echo $0 >> $1; exit 0" TERM; echo >> $1.$0; while :; do sleep 0.05; done'
    with Servers() as servers:
        port = free_port()
        web = servers.start("web", [*SERVES, str(port)], port=port)
        with socket.create_connection((HOST, port), timeout=10):
            pass
        for name in ("first", "second"):
            servers.start(name, ["sh", "-c", says, name, str(ended)], port=0)
            wait_until(tmp_path.joinpath(f"ended.{name}").exists, "it listens to the signal")
        private = servers.make_folder("data")
        folder = servers.folder
        assert private.stat().st_mode & 0o777 == 0o700
        assert web.code() is None
        web.kill()
        assert web.code() == -signal.SIGKILL
        with pytest.raises(RuntimeError, match="with"):
            Servers().folder  # noqa: B018 - the property raises
    wait_until(lambda: not folder.exists())
    assert ended.read_text().split() == ["second", "first"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_whoever_ends_takes_the_servers_along(number: signal.Signals) -> None:
    """Also when it is killed, and when the signal reaches its whole process group."""
    user = subprocess.Popen(
        [sys.executable, "-c", USER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with user:
        assert user.stdout is not None
        pid, pids, folder = json.loads(user.stdout.readline())
        processes = [psutil.Process(number) for number in pids] + psutil.Process(pid).children()
        assert len(processes) == 3
        assert Path(folder).is_dir()
        os.killpg(pid, number)
        wait_until(lambda: not running(processes), "the servers are gone")
        wait_until(lambda: not Path(folder).exists(), "the folder is gone")


def test_servers_end_with_their_keeper() -> None:
    """Even if the process that owns them is killed; its user is notified, and removes the folder."""
    with Servers() as servers:
        server = servers.start("left", SLEEP, port=0)
        process = psutil.Process(server.pid)
        keeper = process.parent()
        assert keeper is not None
        keeper.kill()
        wait_until(lambda: not running([process]), "the server is gone")
        with pytest.raises(MeasurementError, match="keeps the private servers has ended"):
            server.code()
        folder = servers.folder
    assert not folder.exists()


def test_a_server_that_does_not_come_up_is_shown_with_its_log() -> None:
    """A taken port is not mistaken for the server; a command that fails is reported likewise."""
    with Servers() as servers, socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(MeasurementError, match=r"server web ended with exit code 1(.|\n)*in use"):
            servers.start("web", [*SERVES, str(taken.getsockname()[1])], port=taken.getsockname()[1])
        with pytest.raises(MeasurementError, match=r"server made ended with exit code 3(.|\n)*no disk"):
            servers.run("made", ["sh", "-c", "echo no disk; exit 3"])
        servers.run("well", ["true"])
        with pytest.raises(MeasurementError, match="nothing-such"):
            servers.start("none", ["/nothing-such"], port=0)


def test_programs_are_found_or_their_package_is_named(tmp_path: Path) -> None:
    """The newest of several versions is taken, also where PATH does not lead."""
    for version in ("9", "15", "13"):
        program = tmp_path / version / "bin" / "initdb-of-tests"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
    found = find("initdb-of-tests", package="postgresql", folders=f"{tmp_path}/*/bin")
    assert found == f"{tmp_path}/15/bin/initdb-of-tests"
    with pytest.raises(
        UsageError, match="initdb-of-tests is not installed; as root: apt-get install postgresql"
    ):
        find("initdb-of-tests", package="postgresql")
