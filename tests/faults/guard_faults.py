"""Locust files connect to another host, in a network namespace that has one; the control is Locust alone."""

import re
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.e2e.load.test_connect_guard import HOSTS
from tests.e2e.support.guard.namespace import run_inside
from tests.e2e.support.guard.runs import BESIDE, WAYS
from tests.faults.catalogue import Fault, Seen

MODULE = "tests.e2e.support.guard.runs"


@cache
def _made(*arguments: str) -> Any:
    """Make all runs in one namespace."""
    with TemporaryDirectory() as folder:
        return run_inside(MODULE, Path(folder), *arguments, hosts=HOSTS)


def _ours(name: str, _folder: Path) -> Seen:
    run = _made()["runs"][name]
    words = run["result"]["headline"] if run["result"] else run["stderr"].strip().splitlines()[-1]
    words = re.sub(r"\S*/(?=scenario\.py)", "./", words.removeprefix("slocheck: "))
    received = run["received"]
    return Seen(
        run["code"], f"{_arrived(received)}: {words}", "the other host was reached" if received else ""
    )


def _alone(name: str, _folder: Path) -> Seen:
    run = _made(BESIDE)[name]
    return Seen(run["code"], _arrived(run["received"]))


def _arrived(count: int) -> str:
    return f"{count} connections arrived"


FAULTS = (
    Fault(
        f"{WAYS.count('def by_')} ways of a Locust file, one after the other",
        (4,),
        partial(_ours, "ways"),
        partial(_alone, "ways"),
    ),
    Fault("a connection at import", (2,), partial(_ours, "import"), partial(_alone, "import")),
    Fault("a token host in test_start", (4,), partial(_ours, "token")),
    Fault("name.localhost that the hosts file points elsewhere", (2,), partial(_ours, "localhost")),
)
