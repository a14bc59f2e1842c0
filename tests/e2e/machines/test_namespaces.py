"""Three workers and a coordinator, each with its own address: equal counts, strangers, partitions."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from slocheck.load.messaging.machine_messages import Join, Knock
from slocheck.load.messaging.token_files import WORKER, read_token_file
from tests.e2e.support.cli import slocheck, write_spec
from tests.e2e.support.machines import (
    PORT,
    Command,
    Target,
    commands,
    first_on_path,
    slocheck_words,
    tokens,
)
from tests.e2e.support.network import Network
from tests.e2e.support.strangers import WAIT_MS, Peer, send_junk
from tests.support.waiting import wait_until

WORKERS = ("one", "two", "three")
RATE, DURATION_S = 200, 6
CANARY = "canary-5c1f"
SCENARIO = """
headers: {Authorization: "Bearer ${CANARY}"}
feeders: {row: {csv: ids.csv}}
flows:
  - name: look
    steps:
      - get: "/items/{row.id}"
"""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """Make machines for the coordinator, the target, three workers and a stranger."""
    with Network(("main", "target", "stranger", *WORKERS)) as made:
        yield made


@pytest.fixture
def target(network: Network) -> Iterator[Target]:
    """Serve on the target's machine."""
    address = (network.addresses["target"], 8000)
    with Target(network.on("target", lambda: socket.create_server(address))) as server:
        yield server


class Site:
    """One run with its workers, in the network."""

    def __init__(self, network: Network, folder: Path, target: Target, started: list[Command]) -> None:
        self._network, self._folder, self._started = network, folder, started
        self._target = network.addresses["target"]
        self.address = (network.addresses["main"], PORT)
        self.tokens = tokens(folder)
        (folder / "ids.csv").write_text("id\n" + "".join(f"{number}\n" for number in range(50)))
        workload = f"rate: {RATE}/s, warmup: 0s, duration: {DURATION_S}s"
        self._spec = write_spec(
            folder, target.url, workload=workload, scenario=SCENARIO, scenario_name="browse.yaml",
            more="confidence: none\n",
        )  # fmt: skip

    def coordinate(self, workers: int, duration: str = f"{DURATION_S}s") -> Command:
        """Start the coordinator."""
        words = slocheck_words(
            *("run", self._spec, "--workers", str(workers), "--listen", f"{self.address[0]}:{PORT}"),
            *("--token-file", self.tokens[0], "--allow-target", self._target, "--json", "--seed", "7"),
            *("--duration", duration),
            prefix=["env", f"CANARY={CANARY}", *self._network.prefix("main")],
        )
        return self._start(words, "main")

    def work(self, name: str, *words: str, processes: int = 1, path: Path | None = None) -> Command:
        """Start a worker on its machine; `path` comes first on its module path."""
        said = slocheck_words(
            *("worker", "--join", f"{self.address[0]}:{PORT}", "--token-file", self.tokens[1]),
            *("--processes", str(processes), "--name", name, "--allow-target", self._target, *words),
            prefix=[*([] if path is None else first_on_path(path)), *self._network.prefix(name)],
        )
        return self._start(said, name)

    def _start(self, words: list[str | Path], name: str) -> Command:
        command = Command(words, cwd=self._folder, name=name)
        self._started.append(command)
        return command


@pytest.fixture
def site(network: Network, tmp_path: Path, target: Target) -> Iterator[Site]:
    """Prepare a run; none of its processes outlives the test."""
    with commands() as started:
        yield Site(network, tmp_path, target, started)


def refused_strangers(network: Network, site: Site) -> None:
    """Try to join without the public key, without the secret, by replay, and late; none gets an answer."""
    token = read_token_file(site.tokens[1], WORKER)
    knock = Knock("stranger", "3.11.0", "0", "00")
    for key, secret in (("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "00" * 32), (token.key, "00" * 32)):
        peer = network.on("stranger", lambda key=key, secret=secret: Peer(site.address, key, secret))  # type: ignore[misc]
        peer.send(peer.sealed(knock))
        peer.send(b"", b"worker")
        assert peer.answer(WAIT_MS) is None
        peer.close()
    network.on("stranger", lambda: send_junk(site.address))


def replayed(network: Network, site: Site) -> None:
    """Even with all keys a message is accepted only once, and one with another run's challenge never."""
    peer = network.on("stranger", lambda: Peer.of(site.address, read_token_file(site.tokens[1], WORKER)))
    join = peer.sealed(Join("00" * 16, "stranger", 1, scenario=False))
    peer.send(join)
    peer.send(join)
    assert peer.answer(WAIT_MS) is None
    peer.close()


def test_three_machines_send_what_one_would(network: Network, target: Target, site: Site) -> None:
    """Each sends a share, together exactly the plan's; nothing can be read on the wire.

    Strangers are refused before and during it: without the public key (the address is named), with it but
    without the secret, with a message of another run, with junk.
    """
    with network.captured("main") as packets:
        main = site.coordinate(3)
        wait_until(lambda: "waiting for 3 workers" in main.err, main.err)
        refused_strangers(network, site)
        replayed(network, site)
        workers = [site.work(name, processes=number) for name, number in zip(WORKERS, (1, 1, 2), strict=True)]
        wait_until(lambda: sum(target.counts.values()) > 50, main.err)
        refused_strangers(network, site)
        assert main.wait() == 0, main.err
        assert [worker.wait() for worker in workers] == [0, 0, 0], [worker.err for worker in workers]
    result = json.loads(main.out)
    assert result["verdict"] == "pass"
    counts = {name: target.counts[network.addresses[name]] for name in WORKERS}
    assert sum(target.counts.values()) == sum(counts.values()) == DURATION_S * RATE
    assert min(counts.values()) > 0
    assert f"a connection from {network.addresses['stranger']} was refused" in main.err
    assert f"three ({network.addresses['three']}), 2 processes" in main.err
    wire = b"".join(packets)
    assert b"CURVE" in wire
    assert len(wire) > 20_000
    for secret in (CANARY, "/items/", "ids.csv", "row.id", "browse.yaml"):
        assert secret.encode() not in wire, secret


def test_a_machine_of_another_version_is_refused_by_name_on_both_sides(
    network: Network, target: Target, site: Site, tmp_path: Path
) -> None:
    """The run ends at once, as it can never have all of its workers; nothing is sent."""
    (tmp_path / "sitecustomize.py").write_text("import slocheck\nslocheck.__version__ = '9.9'\n")
    main, other = site.coordinate(1), site.work("two", path=tmp_path)
    assert (main.wait(), other.wait()) == (4, 4), main.err + other.err
    assert re.search(r"the worker on [\w. ()]+ speaks protocol", main.err)
    assert network.addresses["two"] in main.err
    assert "(slocheck 9.9), this coordinator" in main.err
    assert "this worker" in other.err
    assert "(slocheck 9.9): install the same version" in other.err
    assert not target.counts


def test_a_machine_that_is_killed_and_replaced_costs_the_run(
    network: Network, target: Target, site: Site, tmp_path: Path
) -> None:
    """All of its processes end at once, and another machine comes under its name: it is refused.

    That one is started before, without a network, so that it comes before the loss is noticed.
    The run is invalid with the name of the one that was lost. A breach that the requests until then prove is
    one all the same.
    """
    main = site.coordinate(2, "60s")
    killed, other = (site.work(name) for name in WORKERS[:2])
    wait_until(lambda: sum(target.counts.values()) > 2400, main.err)  # twelve seconds, enough for a verdict
    with network.unplugged(WORKERS[2]):
        second = site.work(WORKERS[2], "--name", "one")
        wait_until(lambda: "connecting" in second.err, second.err)
        killed.signal(signal.SIGKILL)
    assert second.wait() == 4, second.err
    assert "the run already has its 2 workers" in second.err
    assert "joined" not in second.err
    assert (main.wait(), other.wait()) == (4, 4), main.err + other.err
    lost = f"on one ({network.addresses['one']}) stopped responding"
    assert lost in main.out
    assert lost in other.err
    assert target.counts[network.addresses[WORKERS[2]]] == 0
    strict = tmp_path / "slo.yaml"
    strict.write_text(strict.read_text().replace("< 10s", "< 0.001ms"))
    (run,) = (tmp_path / "reports").glob("*/evidence.json.gz")
    graded = slocheck("grade", run.parent, "--spec", strict, "--json", cwd=tmp_path)
    assert graded.returncode == 1, graded.stderr
    assert lost in graded.stdout


def test_a_machine_that_is_cut_off_costs_the_run_and_ends_its_load(
    network: Network, target: Target, site: Site
) -> None:
    """A firewall drops the packets between it and the coordinator; both machines still reach the target.

    The coordinator names the machine and tells the other one; the one that is cut off stops its load by
    itself. A network that heals then changes nothing: the machine does not come back into the run.
    """
    main = site.coordinate(2, "60s")
    cut, other = (site.work(name) for name in WORKERS[:2])
    wait_until(lambda: sum(target.counts.values()) > 300, main.err)
    with network.partition("one", "main"):
        assert main.wait() == 4, main.err
        assert cut.wait() == 4, cut.err
    assert other.wait() == 4, other.err
    assert "was silent for 4 s; this machine has stopped its load" in cut.err
    where = f"on one ({network.addresses['one']}) stopped responding"
    assert where in main.out
    assert f"{where}: it was stopped, cut off, or is overloaded" in other.err
    assert f"on two ({network.addresses['two']})" not in main.out


def test_a_machine_that_is_stopped_costs_the_run_and_is_named(
    network: Network, target: Target, site: Site
) -> None:
    """The other machine learns why the run ended; the stopped one finds its coordinator gone.

    One that joins during the load is refused, and sends nothing.
    """
    main = site.coordinate(2, "60s")
    stopped, other = (site.work(name) for name in WORKERS[:2])
    wait_until(lambda: sum(target.counts.values()) > 300, main.err)
    late = site.work(WORKERS[2])
    assert late.wait() == 4, late.err
    assert "the run already has its 2 workers" in late.err
    assert target.counts[network.addresses[WORKERS[2]]] == 0
    stopped.signal(signal.SIGSTOP)
    assert main.wait() == 4, main.err
    stopped.signal(signal.SIGCONT)
    assert f"on one ({network.addresses['one']}) stopped responding" in main.out
    assert [other.wait(), stopped.wait()] == [4, 4], (other.err, stopped.err)
    assert "the coordinator ended the run: worker" in other.err
    assert re.search("the coordinator (ended the run: worker|at [^ ]+ is gone)", stopped.err)
