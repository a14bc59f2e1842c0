"""Flags that override the spec, with the same rules as in the file; messages name the flag."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from slocheck.documents.reader import InvalidValue, unknown
from slocheck.documents.units import shown
from slocheck.documents.urls import check_url
from slocheck.errors import UsageError
from slocheck.spec.blocks.workload import (
    MAX_USERS,
    check_rate,
    check_scenario,
    check_warmup,
    check_window,
    constant_profile,
    default_spawn_rate,
    ramp_problem,
    with_rate,
)
from slocheck.spec.model import Overrides, SourceBlock, Spec, Workload

F = TypeVar("F")
V = TypeVar("V")


def with_overrides(spec: Spec, overrides: Overrides) -> Spec:
    """Return the spec with the flags applied.

    A scenario is written as in the spec, relative to the spec's folder or absolute.
    A Prometheus address replaces that of the ``prometheus`` block. If the spec scrapes exactly one page
    instead, the same instance is queried at that Prometheus; otherwise the series are unknown.

    Raises:
        UsageError: A flag's value breaks the rule of its key in slo.yaml; the message names the flag.
    """
    if overrides.target is not None:
        url = _checked("--target", check_url, overrides.target)
        spec = replace(spec, target=replace(spec.target, url=url))
    if overrides.prometheus is not None:
        url = _checked("--prometheus", check_url, overrides.prometheus)
        spec = replace(spec, metric_source=_prometheus(spec, url))
    if overrides.gate is not None:
        spec = replace(spec, gate=_checked("--gate", lambda gate: check_gate(gate, spec), overrides.gate))
    return replace(spec, workload=_workload(spec.workload, overrides))


def check_gate(gate: str, spec: Spec) -> str:
    """Return the gate; raises InvalidValue if it is not a tier or no objective has a limit for it."""
    if gate not in spec.tiers:
        raise InvalidValue(unknown("tier", gate, spec.tiers))
    if not any(gate in objective.limits for objective in spec.objectives):
        raise InvalidValue(f"no objective has a limit for {shown(gate)}; write one, or gate on another tier")
    return gate


def _checked(flag: str, check: Callable[[F], V], value: F) -> V:
    try:
        return check(value)
    except InvalidValue as error:
        raise UsageError(f"{flag}: {error}") from error


def _prometheus(spec: Spec, url: str) -> SourceBlock:
    source = spec.metric_source.at_prometheus(url) if spec.metric_source else None
    if source is None:
        raise UsageError(
            f"--prometheus: {spec.path} does not say which series belong to the service; write there "
            f'prometheus: {{url: "{url}", selector: {{job: {spec.service}}}}}'
        )
    return source


def _workload(workload: Workload, overrides: Overrides) -> Workload:
    if overrides.users is not None and overrides.rate is not None:
        raise UsageError(
            "--users, --rate: one is the closed model, the other the open model; give only one of them"
        )
    warmup, duration = workload.warmup, workload.duration
    if overrides.warmup is not None:
        warmup = _checked("--warmup", check_warmup, Fraction(overrides.warmup))
    if overrides.duration is not None:
        duration = _checked("--duration", check_window, Fraction(overrides.duration))
    scenario = workload.scenario
    if overrides.scenario is not None:
        scenario = _checked("--scenario", check_scenario, overrides.scenario)
    timed = replace(
        workload,
        warmup=warmup,
        duration=duration,
        scenario=scenario,
        options=(*workload.options, *overrides.options),
    )
    if overrides.rate is not None:
        return with_rate(timed, _checked("--rate", check_rate, overrides.rate), None)
    if overrides.users is not None:
        return _with_users(timed, _checked("--users", _check_users, overrides.users), workload)
    return _with_times(timed, workload)


def _with_times(timed: Workload, before: Workload) -> Workload:
    """Adapt the load profile to a changed warm-up or window, which stages of the spec do not allow."""
    same = (timed.warmup, timed.duration) == (before.warmup, before.duration)
    stages = before.rate or before.stages
    if same:
        return timed
    if before.rate and len(stages) == 1 and stages[0].begin == stages[0].end:
        return replace(timed, rate=constant_profile(stages[0].end, timed))
    if stages:
        raise UsageError(
            "--warmup, --duration, --max-duration: the spec's stages say how long the load lasts; "
            "change them there, or give --rate or --users as well"
        )
    return _with_users(timed, before.users, before)


def _with_users(timed: Workload, users: int, before: Workload) -> Workload:
    """Return the workload in the closed model with a constant number of users."""
    rate = before.spawn_rate
    own = not before.rate and not before.stages and rate != default_spawn_rate(before.users, before.warmup)
    if not own:
        rate = default_spawn_rate(users, timed.warmup)
    elif slow := ramp_problem(users, rate, timed.warmup):
        flag = "--users" if users != before.users else "--warmup"
        raise UsageError(f"{flag}: spawn_rate of the spec {slow}")
    return replace(timed, users=users, spawn_rate=rate, rate=(), stages=())


def _check_users(users: int) -> int:
    if not 1 <= users <= MAX_USERS:
        raise InvalidValue(f"{users} is out of range; write 1 to {MAX_USERS}")
    return users
