"""An objective: an indicator, the requests it is about, and a limit for each level."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from slocheck.documents.position import Position
from slocheck.spec.model.indicator import Indicator
from slocheck.spec.model.limit import Limit

EXTRA_LEVELS = ("target", "critical")
"""Levels that any objective may have in addition to the tiers."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A request of the workload, as the client names it: ``GET /items/{id}``."""

    method: str
    name: str

    def __str__(self) -> str:
        return f"{self.method} {self.name}".strip()


class SourceChoice(StrEnum):
    """Which side's numbers an objective is graded on."""

    CLIENT = "client"
    PROMETHEUS = "prometheus"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Objective:
    """A service level objective.

    Attributes:
        name: The key under ``objectives``.
        indicator: What is measured.
        limits: Level to limit. Levels are tiers (loosest first), then ``target`` and ``critical``.
        position: Of the key.
        endpoint: The endpoint that it is about; None: the whole workload.
        labels: Overrides of the server-side method and route labels.
        source: The resolved choice: BOTH only if a metric source is configured.
    """

    name: str
    indicator: Indicator
    limits: Mapping[str, Limit]
    position: Position
    endpoint: Endpoint | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    source: SourceChoice = SourceChoice.CLIENT
