"""This machine's limits, checked before a run."""

import subprocess
import sys
from pathlib import Path

import pytest

from slocheck.errors import UsageError
from slocheck.load import machine_limits
from slocheck.load.machine_limits import SPARE_DESCRIPTORS, check_capacity, descriptor_limit
from tests.builders.load_plans import make_plan

RAISED = """
import resource
from slocheck.load.machine_limits import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, {hard}))
raise_descriptor_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_users_within_the_limits_are_fine() -> None:
    """There is no message."""
    check_capacity(make_plan("http://127.0.0.1:1", "s.py", users=100))
    check_capacity(make_plan("http://slocheck.invalid", "s.py", users=100))


def test_too_few_descriptors_are_an_error_that_names_the_cure() -> None:
    """More processes help, as each has its own limit."""
    users = descriptor_limit()
    plan = make_plan("http://127.0.0.1:1", "s.py", users=users)
    with pytest.raises(UsageError, match=r"--processes.*workload\.max_users") as caught:
        check_capacity(plan)
    assert f"{users + SPARE_DESCRIPTORS:,} open files" in str(caught.value)
    assert caught.value.exit_code == 2


def test_too_few_ports_are_an_error_that_names_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection to one address has a local port of its own, whichever process opens it."""
    ports = tmp_path / "ip_local_port_range"
    ports.write_text("40000\t40099\n")
    monkeypatch.setattr(machine_limits, "PORT_RANGE", ports)
    check_capacity(make_plan("http://127.0.0.1:1", "s.py", users=100))
    with pytest.raises(UsageError, match=r"has only 100 .*ip_local_port_range"):
        check_capacity(make_plan("http://127.0.0.1:1", "s.py", users=101, processes=2))
    ports.unlink()
    check_capacity(make_plan("http://127.0.0.1:1", "s.py", users=101))


def test_a_worker_raises_its_limit_as_far_as_it_may() -> None:
    """The soft limit is a default, the hard one is a decision."""
    for hard in (5000, 700):
        done = subprocess.run(
            [sys.executable, "-c", RAISED.format(hard=hard)], capture_output=True, text=True, check=True
        )
        assert done.stdout == f"{hard}\n"
