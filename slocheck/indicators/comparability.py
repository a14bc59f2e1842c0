"""Whether runs are samples of one thing: pooled runs have to be of the same load on the same target."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

from slocheck.evidence.model import Provenance
from slocheck.spec.model import Spec, Workload
from slocheck.spec.model.load_profile import Stage

_LENGTHS = frozenset({"warmup", "duration", "drain"})
_NO_LOAD = frozenset({"scenario", "position"})


def differences(one: tuple[Spec, Provenance], other: tuple[Spec, Provenance]) -> Iterator[str]:
    """Yield what makes two runs samples of different things, in words; how long they took does not."""
    (spec, origin), (spec_2, origin_2) = one, other
    if origin.target != origin_2.target:
        yield f"target {origin.target} and {origin_2.target}"
    if origin.scenario_sha256 != origin_2.scenario_sha256:
        yield f"scenario {origin.scenario} and {origin_2.scenario}, of different content"
    for name in _told_apart(spec.workload, spec_2.workload):
        yield f"different workload.{name}"
    if spec.failures != spec_2.failures:
        yield "different failures.statuses"


def _told_apart(one: Workload, other: Workload) -> Iterator[str]:
    for field in fields(Workload):
        if field.name in _LENGTHS | _NO_LOAD:
            continue
        if _shape(getattr(one, field.name)) != _shape(getattr(other, field.name)):
            yield field.name


def _shape(value: object) -> object:
    """Return a value with the length of a course at one level left out."""
    if isinstance(value, Sequence) and len(value) == 1 and isinstance(value[0], Stage):
        return value[0].begin, value[0].end
    return value
