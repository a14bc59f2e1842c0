"""The conditions of a run, and how those of two runs differ."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import fields

from slocheck.comparison.model import Conditions, RunRecord
from slocheck.spec.formatting import format_seconds
from slocheck.spec.model import Spec, Workload
from slocheck.spec.model.load_profile import Stage, peak

LENGTH_FACTOR = 2
"""Windows whose lengths differ by more vary too differently to be compared."""
MANY_HOSTS = 5
"""Runs of so many machines show how much machines differ."""
_NOT_COMPARED = frozenset({"scenario", "position", "duration", "drain", "old_words"})
"""Fields of the workload that are not part of its load: where it is written, and its length."""


def workload_text(workload: Workload) -> str:
    """Name the load in a word or two: ``200/s``, ``50 users``."""
    if workload.rate:
        return f"{peak(workload.rate):,g}/s"
    return f"{workload.users:,} user{'' if workload.users == 1 else 's'}"


def workload_sha256(spec: Spec) -> str:
    """Return a hash of all that the spec says of the load but its length, and of what counts as a failure."""
    workload = spec.workload
    parts = [
        (field.name, _without_length(getattr(workload, field.name)))
        for field in fields(Workload)
        if field.name not in _NOT_COMPARED
    ]
    counted = (*parts, ("failures", spec.failures), ("instances", spec.target.instances))
    return hashlib.sha256(repr(counted).encode("utf-8", "backslashreplace")).hexdigest()


def _without_length(value: object) -> object:
    """Return a value as plain ones; a load profile of a single stage without its length."""
    if isinstance(value, Sequence) and len(value) == 1 and isinstance(value[0], Stage):
        return value[0].begin, value[0].end
    return value


def differences(one: Conditions, other: Conditions) -> Iterator[str]:
    """Yield what keeps two runs from being compared, in words: the other's condition first."""
    if one.service != other.service:
        yield f"service {other.service}, not {one.service}"
    if one.target != other.target:
        yield f"target {other.target}, not {one.target}"
    if one.scenario_sha256 != other.scenario_sha256:
        yield "another scenario, or other data"
    if one.workload != other.workload:
        yield f"a load of {other.workload}, not {one.workload}"
    elif one.workload_sha256 != other.workload_sha256:
        yield "other keys of workload or failures, or another number of instances"
    if not _near(one.window_s, other.window_s):
        yield f"a window of {format_seconds(other.window_s)}, not {format_seconds(one.window_s)}"


def notes(new: Conditions, old: Conditions) -> Iterator[str]:
    """Yield other differences between two runs that a reader should know."""
    if (new.host, new.cores) != (old.host, old.cores):
        yield f"made on {_machine(old)}, not {_machine(new)}"
    if new.spec_sha256 != old.spec_sha256:
        yield "a different slo.yaml"
    if new.slocheck != old.slocheck:
        yield f"made by slocheck {old.slocheck}, not {new.slocheck}"
    if new.window_s != old.window_s and _near(new.window_s, old.window_s):
        yield f"a window of {format_seconds(old.window_s)}, not {format_seconds(new.window_s)}"


def other_machines(new: Sequence[RunRecord], old: Sequence[RunRecord]) -> str:
    """Say why machines alone might explain a change; empty if they would not.

    Runs of `MANY_HOSTS` machines show how much machines differ, so one more is compared with that.
    """
    hosts, known = {run.conditions.host for run in new}, {run.conditions.host for run in old}
    if hosts <= known or len(known) >= MANY_HOSTS:
        return ""
    named = ", ".join(sorted(hosts - known)) or "an unknown one"
    return f"the load came from another machine ({named}), which may be all that has changed"


def _near(one: float, other: float) -> bool:
    return max(one, other) <= LENGTH_FACTOR * min(one, other)


def _machine(conditions: Conditions) -> str:
    cores = f"{conditions.cores} core{'' if conditions.cores == 1 else 's'}"
    return f"{conditions.host or 'an unknown machine'} ({cores})"
