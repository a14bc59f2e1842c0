"""Whether this machine has enough open files and ports for the planned users, checked before the load."""

import resource
import socket
from math import ceil
from pathlib import Path

from slocheck.documents.http import host_and_port
from slocheck.errors import UsageError
from slocheck.plan.load_plan import LoadPlan

MAX_DESCRIPTORS = 1 << 16
SPARE_DESCRIPTORS = 64
"""Files that a worker has open in addition to the users' connections."""
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def descriptor_limit() -> int:
    """Return how many files a worker may open after it has raised its limit as far as it can."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)


def raise_descriptor_limit() -> None:
    """Allow as many open files as the system grants, since each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = descriptor_limit()
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def check_capacity(plan: LoadPlan) -> None:
    """Raise UsageError if one connection for each user is more than this machine can open."""
    each, limit = ceil(plan.users / plan.processes), descriptor_limit()
    if each + SPARE_DESCRIPTORS > limit:
        raise UsageError(
            f"workload: {each:,} users in one process need {each + SPARE_DESCRIPTORS:,} open files, but it "
            f"may open only {limit:,}; {_remedy(limit)}, or plan fewer users "
            "(under a rate: workload.max_users)"
        )
    ports = _ports()
    if plan.users > ports and plan.users > (ports := ports * _addresses(plan.target_url)):
        raise UsageError(
            f"workload: {plan.users:,} users need as many local ports, but this machine has only "
            f"{ports:,} for the target; widen net.ipv4.ip_local_port_range with sysctl, or plan fewer users "
            "(under a rate: workload.max_users)"
        )


def _remedy(limit: int) -> str:
    if limit >= MAX_DESCRIPTORS:
        return "spread them with --processes"
    return "raise the hard limit (ulimit -Hn; LimitNOFILE for a service), spread them with --processes"


def _ports() -> int:
    """Return how many connections to one address of the target can be open at the same time."""
    try:
        first, last = map(int, PORT_RANGE.read_text().split())
    except (OSError, ValueError):
        return 1 << 16  # another system: let it try
    return last - first + 1


def _addresses(url: str) -> int:
    """Return how many addresses the target has; 1 for an unknown name, which is reported elsewhere."""
    try:
        return len(set(socket.getaddrinfo(*host_and_port(url), type=socket.SOCK_STREAM)))
    except (OSError, UnicodeError):
        return 1
