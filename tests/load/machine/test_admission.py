"""What a coordinator may ask of a worker's machine, and which machines a coordinator accepts."""

from dataclasses import replace
from pathlib import Path

import pytest

from slocheck.load.machine.admission import leads_to_loopback, refusal, with_local_files
from slocheck.load.machine_limits import MAX_DESCRIPTORS
from slocheck.load.master.remote.admission import version_refusal
from slocheck.load.messaging.machine_messages import Bundle, JoinRun, Knock, Welcome
from slocheck.load.network.loopback import loopback_id
from slocheck.spec.model import Tls
from tests.builders.load_plans import make_plan

DATA = Bundle("/main/browse.yaml", scenario=b"flows: []")
LOCUST = Bundle("/main/browse.py", manifest={"browse.py": "00"})


def join(host: str = "10.0.0.1", *allowed: str, scenario: str = "") -> JoinRun:
    """Return what a worker was started with."""
    return JoinRun(host, 5557, "key", "00", "here", 2, allowed, scenario, 1.0)


def welcome(url: str, *allowed: str, scenario: str = "/main/browse.yaml", users: int = 2) -> Welcome:
    """Return what a coordinator asks for."""
    plan = make_plan(url, scenario, allowed_targets=allowed, processes=2, users=users)
    return Welcome(plan, "00", 0, "", "", loopback_id())


@pytest.mark.parametrize(
    ("asked", "started", "says"),
    [
        pytest.param(("http://api.test", "api.test"), ("10.0.0.1", "api.test"), "", id="allowed by name"),
        pytest.param(("http://10.9.9.9", "10.9.9.9"), ("10.0.0.1", "10.9.9.9"), "", id="by address"),
        pytest.param(
            ("http://API.test.:80", "api.test"), ("10.0.0.1", "api.TEST"), "", id="one name, two spellings"
        ),
        pytest.param(
            ("http://api.test", "api.test"),
            ("10.0.0.1",),
            "names api.test, which this worker was not allowed to load: start it with `slocheck worker "
            "--allow-target api.test`",
            id="not allowed here",
        ),
        pytest.param(
            ("http://api.test", "api.test", "auth.test", "auth.test"),
            ("10.0.0.1", "api.test"),
            "names auth.test, which",
            id="a further host is not",
        ),
        pytest.param(
            ("http://10.9.9.8", "10.9.9.8"), ("10.0.0.1", "10.9.9.9"), "names 10.9.9.8", id="neighbour"
        ),
        pytest.param(("http://127.0.0.1:8",), ("127.0.0.1",), "", id="all on one machine"),
        pytest.param(("http://127.0.0.1:8",), ("localhost",), "", id="and by name"),
        pytest.param(
            ("http://127.0.0.1:8",),
            ("10.0.0.1", "127.0.0.1"),
            "target http://127.0.0.1:8 is a loopback address: each machine would load itself",
            id="a loopback target, though it is allowed",
        ),
        pytest.param(("http://[::1]:8",), ("10.0.0.1",), "is a loopback address", id="IPv6"),
        pytest.param(("http://localhost:8",), ("10.0.0.1",), "is a loopback address", id="by its name"),
        pytest.param(("http://0.0.0.0:8",), ("10.0.0.1",), "is a loopback address", id="unspecified"),
        pytest.param(
            ("http://127.0.0.1:8", "api.test"), ("127.0.0.1",), "names api.test", id="a host beside loopback"
        ),
    ],
)
def test_a_worker_loads_only_what_its_own_user_allowed(
    asked: tuple[str, ...], started: tuple[str, ...], says: str
) -> None:
    """Whatever the coordinator's user allowed; loopback only if the coordinator is on this machine, too."""
    found = refusal(welcome(*asked), DATA, join(*started))
    assert says in found
    assert bool(found) == bool(says)


def test_a_tunnel_ends_on_loopback_and_leads_elsewhere() -> None:
    """The coordinator at the other end sees another loopback, so its target there is not this machine's."""
    through_a_tunnel = replace(welcome("http://127.0.0.1:8"), loopback="another machine's")
    assert "each machine would load itself" in refusal(through_a_tunnel, DATA, join("127.0.0.1"))


def test_a_locust_file_has_to_be_there(tmp_path: Path) -> None:
    """It is the machine's own file, and replaces the coordinator's path; a scenario has to be sent."""
    asked = welcome("http://10.9.9.9", "10.9.9.9", scenario="/main/browse.py")
    assert "name this machine's own with" in refusal(asked, LOCUST, join("10.0.0.1", "10.9.9.9"))
    own = join("10.0.0.1", "10.9.9.9", scenario="/here/mine.py")
    assert refusal(asked, LOCUST, own) == ""
    assert with_local_files(asked.plan, LOCUST, own, tmp_path).scenario == "/here/mine.py"
    declarative = welcome("http://10.9.9.9", "10.9.9.9")
    assert "sent no scenario" in refusal(declarative, LOCUST, own)
    assert with_local_files(declarative.plan, DATA, own, tmp_path).scenario == "/main/browse.yaml"


def test_certificates_are_written_for_their_owner_only(tmp_path: Path) -> None:
    """Each key of the plan names the file here; a name that is none of the three is not written."""
    tls = Tls(ca="/main/ca.pem", cert="/main/c.pem", key="/main/k.pem", insecure=True)
    plan = make_plan("https://10.9.9.9", "/main/browse.yaml", tls=tls)
    sent = replace(DATA, tls={"ca": b"1", "key": b"2", "../../evil": b"3"})
    found = with_local_files(plan, sent, join(), tmp_path).tls
    assert found == Tls(ca=str(tmp_path / "ca.pem"), key=str(tmp_path / "key.pem"), insecure=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.pem", "key.pem"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_each_machine_checks_its_own_share() -> None:
    """More users than its processes can have open files for are refused before the load."""
    asked = welcome("http://10.9.9.9", "10.9.9.9", users=10 * MAX_DESCRIPTORS)
    assert "need" in refusal(asked, DATA, join("10.0.0.1", "10.9.9.9"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("10.0.0.1", False)],
)
def test_what_leads_to_loopback(host: str, expected: bool) -> None:
    """By address or by name."""
    assert leads_to_loopback(host) is expected


@pytest.mark.parametrize(
    ("python", "locust", "says"),
    [
        pytest.param("3.11.2", "2.47.0", "", id="equal; another patch of Python is"),
        pytest.param("3.12.0", "2.47.0", "has Python 3.12, the coordinator 3.11: use the same", id="python"),
        pytest.param(
            "3.11.7", "2.46.1", "has Locust 2.46.1, the coordinator 2.47.0: use the same", id="locust"
        ),
        pytest.param("junk", "2.47.0", "has Python junk", id="junk"),
    ],
)
def test_a_machine_of_other_versions_is_named(python: str, locust: str, says: str) -> None:
    """With its name, its address and both versions."""
    found = version_refusal(Knock("b", python, locust, "00"), "10.0.0.2", python="3.11.7", locust="2.47.0")
    assert bool(found) == bool(says)
    assert says in found
    assert not found or found.startswith("the worker on b (10.0.0.2) has")
