"""Flags over the spec: the same rules as in the file, the flag named in the message."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar
from urllib.parse import urlsplit

from slocheck.errors import UsageError
from slocheck.evidence.model import Overrides
from slocheck.spec.model import PrometheusSource, ScrapeSource, Spec, Workload
from slocheck.spec.reading import Wrong, unknown
from slocheck.spec.sections import (
    MAX_USERS,
    check_scenario,
    check_warmup,
    check_window,
    default_spawn_rate,
    ramp_fault,
)
from slocheck.spec.units import shown
from slocheck.spec.urls import check_url

F = TypeVar("F")
V = TypeVar("V")


def with_overrides(spec: Spec, overrides: Overrides) -> Spec:
    """Return the spec with the flags put over it.

    A scenario has to be written as the spec would write it, relative to the spec's folder or absolute.
    A Prometheus address replaces that of the ``prometheus`` block. Where the spec scrapes exactly one
    page instead, the same instance is asked for at that Prometheus; else nothing says which series to
    take.

    Raises:
        UsageError: A flag's value breaks the rule of its key in slo.yaml; the message names the flag.
    """
    if overrides.target is not None:
        url = _checked("--target", check_url, overrides.target)
        spec = replace(spec, target=replace(spec.target, url=url))
    if overrides.prometheus is not None:
        url = _checked("--prometheus", check_url, overrides.prometheus)
        spec = replace(spec, prometheus=_prometheus(spec, url), scrape=None)
    if overrides.gate is not None:
        spec = replace(spec, gate=_checked("--gate", lambda gate: check_gate(gate, spec), overrides.gate))
    return replace(spec, workload=_workload(spec.workload, overrides))


def check_gate(gate: str, spec: Spec) -> str:
    """Return the gate; raises Wrong where it is no tier, or one that no objective has a limit for."""
    if gate not in spec.tiers:
        raise Wrong(unknown("tier", gate, spec.tiers))
    if not any(gate in objective.limits for objective in spec.objectives):
        raise Wrong(f"no objective has a limit for {shown(gate)}; write one, or gate on another tier")
    return gate


def _checked(flag: str, check: Callable[[F], V], value: F) -> V:
    try:
        return check(value)
    except Wrong as error:
        raise UsageError(f"{flag}: {error}") from error


def _prometheus(spec: Spec, url: str) -> PrometheusSource:
    if spec.prometheus is not None:
        return replace(spec.prometheus, url=url)
    scrape = spec.scrape
    if scrape is None or len(scrape.urls) != 1:
        raise UsageError(
            f"--prometheus: {spec.path} does not say which series are the service's; write there "
            f'prometheus: {{url: "{url}", preset: prom-client, selector: {{job: {spec.service}}}}}'
        )
    return PrometheusSource(url, scrape.preset, {"instance": _instance(scrape)}, scrape.position)


def _instance(scrape: ScrapeSource) -> str:
    """Return the ``instance`` label that Prometheus gives a target: host and port of its page."""
    parts = urlsplit(scrape.urls[0])
    return parts.netloc if parts.port else f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"


def _workload(workload: Workload, overrides: Overrides) -> Workload:
    users = workload.users
    if overrides.users is not None:
        users = _checked("--users", _check_users, overrides.users)
    warmup = workload.warmup
    if overrides.warmup is not None:
        warmup = _checked("--warmup", check_warmup, Fraction(overrides.warmup))
    duration = workload.duration
    if overrides.duration is not None:
        duration = _checked("--duration", check_window, Fraction(overrides.duration))
    scenario = workload.scenario
    if overrides.scenario is not None:
        scenario = _checked("--scenario", check_scenario, overrides.scenario)
    rate = workload.spawn_rate
    if rate == default_spawn_rate(workload.users, workload.warmup):
        rate = default_spawn_rate(users, warmup)
    elif slow := ramp_fault(users, rate, warmup):
        flag = "--users" if overrides.users is not None else "--warmup"
        raise UsageError(f"{flag}: spawn_rate of the spec {slow}")
    return replace(
        workload, users=users, warmup=warmup, duration=duration, scenario=scenario, spawn_rate=rate
    )


def _check_users(users: int) -> int:
    if not 1 <= users <= MAX_USERS:
        raise Wrong(f"{users} is out of range; write 1 to {MAX_USERS}")
    return users
