"""The options for workers on other machines: valid combinations, and what is refused."""

from pathlib import Path

import pytest

from slocheck.cli.machines.remote import is_loopback, listening, refuse_loopback_target
from slocheck.cli.options import RunOptions
from slocheck.cli.typed import address_typed
from slocheck.errors import UsageError
from slocheck.load.messaging.token_files import make_token_files


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """Return the coordinator's token file."""
    make_token_files(tmp_path / "c.token", tmp_path / "w.token")
    return tmp_path / "c.token"


def test_a_run_has_its_own_workers_unless_all_three_options_are_given(token: Path) -> None:
    """With them it waits for the others, two minutes by default."""
    assert listening(RunOptions()) is None
    found = listening(RunOptions(workers=3, listen="[::1]:5557", token_file=token))
    assert found is not None
    assert (found.host, found.port, found.workers, found.within_s) == ("::1", 5557, 3, 120.0)
    assert found.secret_key not in repr(found)
    assert found.shared_secret not in repr(found)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"token_file": None}, "--token-file is missing", id="no bind without a token"),
        pytest.param({"listen": None}, "--listen is missing", id="no address"),
        pytest.param(
            {"workers": None, "listen": None}, "--workers and --listen is missing", id="token alone"
        ),
        pytest.param({"workers": 0}, "--workers: 0 is not a count", id="none"),
        pytest.param({"workers": 501}, "--workers: 501 is not a count", id="too many"),
        pytest.param({"join_timeout": "soon"}, "--join-timeout: ", id="no duration"),
        pytest.param(
            {"origins": {"processes": "--processes"}}, "each `slocheck worker` says", id="processes"
        ),
        pytest.param({"listen": "0.0.0.0"}, "is not HOST:PORT", id="no port"),
    ],
)
def test_what_does_not_go_together_is_refused(token: Path, changes: dict[str, object], says: str) -> None:
    """The message names the option."""
    options = {"workers": 3, "listen": "10.0.0.1:5557", "token_file": token, **changes}
    with pytest.raises(UsageError, match=says):
        listening(RunOptions(**options))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--join-timeout goes with"):
        listening(RunOptions(join_timeout="1m"))


def test_a_loopback_target_is_refused_where_workers_may_be_elsewhere(token: Path) -> None:
    """Each machine would load itself, unless the coordinator is on loopback with all workers here."""
    for address, refused in (("10.0.0.1:0", True), ("0.0.0.0:0", True), ("127.0.0.1:0", False)):
        waits = listening(RunOptions(workers=1, listen=address, token_file=token))
        for url in ("http://127.0.0.1:8000", "http://localhost", "http://[::1]"):
            if refused:
                with pytest.raises(
                    UsageError, match=f"target {url.replace('[', '.').replace(']', '.')}.*itself"
                ):
                    refuse_loopback_target(url, waits)
            else:
                refuse_loopback_target(url, waits)
        refuse_loopback_target("http://api.test", waits)
    refuse_loopback_target("http://127.0.0.1", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":5557",
        "host",
        "host:",
        "host:x",
        "host:70000",
        "u@h:1",
        "h:1/x",
        "h:1?x",
        "a b:1",
        "*:1",
        "a\x1b:1",
    ],
)
def test_what_is_not_host_and_port(text: str) -> None:
    """The message shows what was typed and how to write it."""
    with pytest.raises(UsageError, match=r"--join: .* is not HOST:PORT; write one such as 10.0.0.5:5557"):
        address_typed("--join", text)


def test_host_and_port_and_what_is_loopback() -> None:
    """An address of all interfaces is not loopback, though Linux takes it for that when connecting."""
    assert address_typed("--join", "api.test:1") == ("api.test", 1)
    assert address_typed("--listen", "[fe80::1]:0") == ("fe80::1", 0)
    assert [is_loopback(host) for host in ("127.1.2.3", "::1", "localhost")] == [True] * 3
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "api.test")] == [False] * 4
