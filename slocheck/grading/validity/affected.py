"""Objectives that a fault of the measurement can worsen: their breach then says nothing about the target."""

from slocheck.spec.indicators import traits_of
from slocheck.spec.model import SourceChoice, Spec


def distorted(spec: Spec) -> frozenset[str]:
    """Return the objectives that a slow generator distorts: it times its own queue and sends too little."""
    return frozenset(
        item.name for item in spec.objectives if traits_of(item.indicator.kind).slow_generator_distorts
    )


def limited_by_load(spec: Spec) -> frozenset[str]:
    """Return the objectives that suffer if less load than planned is sent."""
    return frozenset(item.name for item in spec.objectives if traits_of(item.indicator.kind).limited_by_load)


def server_graded(spec: Spec) -> frozenset[str]:
    """Return the objectives with a server side."""
    return frozenset(item.name for item in spec.objectives if item.source is not SourceChoice.CLIENT)
