"""What a coordinator may ask of this machine: hosts that its own user allowed, and what it can connect."""

import socket
from dataclasses import replace
from pathlib import Path

from slocheck.allowed_targets import ALLOW_TARGET, AllowedTargets, address_of, is_localhost_name
from slocheck.documents.http import host_and_port
from slocheck.errors import UsageError
from slocheck.load.machine_limits import check_capacity
from slocheck.load.messaging.machine_messages import Bundle, JoinRun, Welcome
from slocheck.load.network.loopback import loopback_id
from slocheck.masking import strip_url
from slocheck.plan.load_plan import LoadPlan


def refusal(welcome: Welcome, bundle: Bundle, join: JoinRun) -> str:
    """Say why this machine refuses a run that the coordinator asks for; empty if it does not."""
    plan = welcome.plan
    if not plan.declarative and not join.scenario:
        return "a Locust file is never sent: name this machine's own with `slocheck worker --scenario FILE`"
    if plan.declarative and bundle.scenario is None:
        return "the coordinator sent no scenario"
    return _hosts(welcome, join) or _capacity(plan, welcome.first, join.processes)


def _hosts(welcome: Welcome, join: JoinRun) -> str:
    """Say which host of a plan may not be loaded from here."""
    plan = welcome.plan
    rule, target = AllowedTargets.of(join.allowed_targets), host_and_port(plan.target_url)[0]
    same_machine = leads_to_loopback(join.host) and welcome.loopback == loopback_id()
    if leads_to_loopback(target):
        if same_machine:
            return _not_allowed(plan.allowed_targets, rule)
        return (
            f"target {strip_url(plan.target_url)} is a loopback address: each machine would load itself; "
            "name the target by an address that all workers reach"
        )
    return _not_allowed((target, *plan.allowed_targets), rule)


def _not_allowed(hosts: tuple[str, ...], rule: AllowedTargets) -> str:
    missing = [
        host for host in dict.fromkeys(hosts) if not (rule.names_host(host) or rule.allows_address(host))
    ]
    if not missing:
        return ""
    options = " ".join(f"{ALLOW_TARGET} {host}" for host in missing)
    return (
        f"the coordinator names {', '.join(missing)}, which this worker was not allowed to load: start it "
        f"with `slocheck worker {options}`"
    )


def leads_to_loopback(host: str) -> bool:
    """Tell whether a host is this machine's loopback, by its address or by any address of its name."""
    address = address_of(host)
    if address is not None:
        return address.is_loopback
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return is_localhost_name(host)
    return any(each.is_loopback for each in map(address_of, found) if each is not None)


def _capacity(plan: LoadPlan, first: int, processes: int) -> str:
    """Say what this machine lacks for its share of the users."""
    share = sum(plan.users_of(index) for index in range(first, first + processes))
    try:
        check_capacity(replace(plan, users=max(1, share), processes=processes))
    except UsageError as error:
        return str(error)
    return ""


def with_local_files(plan: LoadPlan, bundle: Bundle, join: JoinRun, folder: Path) -> LoadPlan:
    """Return the plan with this machine's own Locust file, and certificates written to a private folder."""
    paths = {}
    for key, data in bundle.tls.items():
        if key in ("ca", "cert", "key"):
            path = folder / f"{key}.pem"
            path.touch(mode=0o600)
            path.write_bytes(data)
            paths[key] = str(path)
    tls = replace(plan.tls, ca=paths.get("ca"), cert=paths.get("cert"), key=paths.get("key"))
    return replace(plan, scenario=plan.scenario if plan.declarative else join.scenario, tls=tls)
