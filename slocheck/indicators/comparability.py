"""Whether runs may be pooled: they have to send the same load to the same target."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

from slocheck.evidence.model import Provenance
from slocheck.spec.model import Spec, Workload
from slocheck.spec.model.load_profile import Stage

_LENGTHS = frozenset({"warmup", "duration", "drain"})
_NOT_LOAD = frozenset({"scenario", "position"})


def differences(one: tuple[Spec, Provenance], other: tuple[Spec, Provenance]) -> Iterator[str]:
    """Yield what keeps two runs from being pooled, in words; their lengths may differ."""
    (spec, origin), (spec_2, origin_2) = one, other
    if origin.target != origin_2.target:
        yield f"target {origin.target} and {origin_2.target}"
    if origin.scenario_sha256 != origin_2.scenario_sha256:
        yield f"scenario {origin.scenario} and {origin_2.scenario}, with different contents"
    for name in _different_fields(spec.workload, spec_2.workload):
        yield f"different workload.{name}"
    if spec.failures != spec_2.failures:
        yield "different failures"


def _different_fields(one: Workload, other: Workload) -> Iterator[str]:
    for field in fields(Workload):
        if field.name in _LENGTHS | _NOT_LOAD:
            continue
        if _shape(getattr(one, field.name)) != _shape(getattr(other, field.name)):
            yield field.name


def _shape(value: object) -> object:
    """Return a value; a load profile with a single stage without its length."""
    if isinstance(value, Sequence) and len(value) == 1 and isinstance(value[0], Stage):
        return value[0].begin, value[0].end
    return value
