"""Workers and their coordinator on loopback: who joins, who is refused, and how a run ends on both sides."""

import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from slocheck.load.messaging.machine_messages import Knock
from slocheck.load.messaging.token_files import WORKER, read_token_file
from tests.e2e.support.cli import write_spec
from tests.e2e.support.machines import Command, Target, commands, slocheck_words, tokens
from tests.e2e.support.strangers import Peer
from tests.support.ports import free_port
from tests.support.processes import running
from tests.support.waiting import wait_until

LOCUST_FILE = """
import csv
import sys
from pathlib import Path

from locust import constant, task

sys.path.insert(0, str(Path(__file__).parent))
import shared
from slocheck.users import LeanHttpUser

ROWS = list(csv.reader((Path(__file__).parent / "rows.csv").open()))


class Reader(LeanHttpUser):
    wait_time = constant(0.02)

    @task
    def look(self):
        self.client.get(f"/{shared.PATH}/{ROWS[0][0]}", name="look")
"""
DECLARATIVE = "flows:\n  - name: look\n    steps:\n      - get: /items\n"


class Site:
    """A coordinator and its workers, each with its own folder.

    Attributes:
        target: What they load.
        address: Where the coordinator listens.
        token: The workers' file.
    """

    def __init__(self, folder: Path, target: Target, started: list[Command]) -> None:
        self.target, self._folder, self._started = target, folder, started
        self._port = free_port()
        self.address = ("127.0.0.1", self._port)
        self._coordinator_token, self.token = tokens(folder)

    def folder(self, name: str) -> Path:
        """Return the folder of one of the machines."""
        made = self._folder / name
        made.mkdir(exist_ok=True)
        return made

    def coordinate(self, workers: int, *words: str, locust_file: bool = False) -> Command:
        """Start a coordinator, and wait until it waits for its workers."""
        folder = self.folder("main")
        if locust_file:
            write_locust_file(folder)
        text, name = (LOCUST_FILE, "browse.py") if locust_file else (DECLARATIVE, "browse.yaml")
        workload = "users: 2, spawn_rate: 50/s, warmup: 0s, duration: 60s"
        spec = write_spec(folder, self.target.url, workload=workload, scenario=text, scenario_name=name)
        command = self._start(
            folder,
            *("run", str(spec), "--workers", str(workers), "--listen", f"127.0.0.1:{self._port}"),
            *("--token-file", str(self._coordinator_token), "--json", *words),
        )
        wait_until(lambda: "waiting for" in command.err, command.err)
        return command

    def work(self, name: str, *words: str | Path, token: Path | None = None) -> Command:
        """Start a worker."""
        return self._start(
            self.folder(name),
            *("worker", "--join", f"127.0.0.1:{self._port}", "--token-file", str(token or self.token)),
            *("--processes", "1", "--name", name, *words),
        )

    def _start(self, folder: Path, *words: str | Path) -> Command:
        command = Command(slocheck_words(*words), cwd=folder, name="said")
        self._started.append(command)
        return command


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Serve a target and prepare a run; none of its processes outlives the test."""
    with Target(socket.create_server(("127.0.0.1", 0))) as target, commands() as started:
        yield Site(tmp_path, target, started)


def write_locust_file(folder: Path, rows: str = "1\n") -> Path:
    """Write a Locust file with its own module and data; returns its path."""
    (folder / "shared.py").write_text('PATH = "items"\n')
    (folder / "rows.csv").write_text(rows)
    path = folder / "browse.py"
    path.write_text(LOCUST_FILE)
    return path


def joined(command: Command) -> bool:
    """Tell whether a worker has joined."""
    return "joined; waiting" in command.err


def test_the_wrong_key_an_interrupt_and_an_end_before_the_load(site: Site, tmp_path: Path) -> None:
    """A worker with other token files is refused on both sides, and one that leaves is named.

    Ctrl-C on the coordinator ends the run in order: its worker is notified, and ends.
    """
    main = site.coordinate(3)
    stranger = site.work("stranger", token=tokens(tmp_path, "other")[1])
    leaver = site.work("leaver")
    wait_until(lambda: joined(leaver), leaver.err)
    leaver.process.send_signal(signal.SIGINT)
    assert leaver.wait() == 130, leaver.err
    assert stranger.wait() == 4, stranger.err
    assert "does not have the key of this token file" in stranger.err
    alone = site.work("alone")
    wait_until(lambda: joined(alone), alone.err)
    main.process.send_signal(signal.SIGINT)
    assert (main.wait(), alone.wait()) == (130, 4)
    assert "the coordinator ended the run: interrupted while it waited" in alone.err
    assert re.search("a connection (from 127.0.0.1 )?was refused: it does not have this run's key", main.err)
    assert "worker 1 of 3 has joined: leaver (127.0.0.1), 1 process " in main.err
    assert "leaver (127.0.0.1) left the run: it was interrupted there (SIGINT)" in main.err
    assert not site.target.counts


def test_another_python_is_refused_in_the_first_answer(site: Site) -> None:
    """Nothing is waited for: the coordinator's response to the first message is the refusal.

    Both sides know after one round trip, and the run ends at once.
    """
    main = site.coordinate(1, "--join-timeout", "600s")
    peer = Peer.of(site.address, read_token_file(site.token, WORKER))
    peer.send(peer.sealed(Knock("old", "2.7.18", "0.1", "00")))
    kind, answer = peer.answer()
    peer.close()
    assert kind == "refused"
    assert answer["text"].startswith("the worker on old (127.0.0.1) has Python 2.7, the coordinator 3.")
    assert main.wait() == 4, main.err
    assert answer["text"] in main.err


def test_a_worker_loads_only_what_its_own_user_allowed(site: Site) -> None:
    """A coordinator that names another host is refused with 2 on both sides, and nothing is sent."""
    main = site.coordinate(1, "--allow-target", "api.example.com")
    worker = site.work("careful", "--allow-target", "other.example.com")
    assert (main.wait(), worker.wait()) == (2, 2), main.err + worker.err
    says = "the coordinator names api.example.com, which this worker was not allowed to load"
    assert f"careful (127.0.0.1): {says}" in main.err
    assert says in worker.err
    assert not site.target.counts


def test_a_locust_file_has_to_be_the_same_everywhere(site: Site) -> None:
    """It is never transferred: a machine whose data differs is named with the file, and no load is sent."""
    main = site.coordinate(2, locust_file=True)
    same = site.work("same", "--scenario", write_locust_file(site.folder("same")))
    differs = site.work("differs", "--scenario", write_locust_file(site.folder("differs"), "2\n"))
    assert main.wait() == 2, main.err
    what = "the Locust file here is not the coordinator's: rows.csv (differs)"
    assert f"browse.py: cannot be used on differs (127.0.0.1): {what}" in main.err
    assert [same.wait(), differs.wait()] == [4, 4]
    assert what in differs.err
    assert not site.target.counts


def kill_worker_process(_: Command, worker: Command) -> None:
    """Kill the one process of a machine that sends the load."""
    newest = max(worker.family(), key=psutil.Process.create_time)
    newest.send_signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("act", "codes", "main_says", "workers_say"),
    [
        pytest.param(
            kill_worker_process,
            (4, 4),
            "worker process 1 of 1 on first (127.0.0.1) was killed by signal 9",
            "the coordinator ended the run: worker process 1 of 1 on first (127.0.0.1) was killed",
            id="a worker process is killed",
        ),
        pytest.param(
            lambda _, worker: worker.process.send_signal(signal.SIGINT),
            (4, 130),
            "first (127.0.0.1) left the run: it was interrupted there (SIGINT)",
            "interrupted by SIGINT",
            id="Ctrl-C on a worker",
        ),
        pytest.param(
            lambda main, _: main.process.kill(),
            (-9, 4),
            "",
            "is gone: its connection ended",
            id="the coordinator is killed",
        ),
    ],
)
def test_a_run_ends_in_order_on_both_sides(
    site: Site,
    act: Callable[[Command, Command], None],
    codes: tuple[int, int],
    main_says: str,
    workers_say: str,
) -> None:
    """Under load, with a Locust file on both machines: both sides say who ended it, and the load ends."""
    main = site.coordinate(1, locust_file=True)
    worker = site.work("first", "--scenario", write_locust_file(site.folder("first")))
    wait_until(lambda: site.target.counts.total() > 20, main.err)
    processes = worker.family()
    act(main, worker)
    assert (main.wait(), worker.wait()) == codes, main.err + main.out + worker.err
    assert main_says in main.out + main.err
    assert workers_say in worker.err
    wait_until(lambda: not running(processes), "all processes of the worker have ended")


def test_a_run_that_nobody_joins_says_so(site: Site) -> None:
    """The wait is bounded, and nothing is sent."""
    main = site.coordinate(1, "--join-timeout", "1s")
    assert main.wait() == 4
    assert "0 of 1 worker joined within 1 s; start `slocheck worker --join` on the others" in main.err
