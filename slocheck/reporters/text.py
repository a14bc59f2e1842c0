"""One change to every text of a report: masking has to happen before a sink's escapes disguise a secret."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TypeVar

from slocheck.evidence.recording import SliceCounts
from slocheck.evidence.series import RawSeries
from slocheck.reporters.report import Report

T = TypeVar("T")


def with_every_text(report: Report, change: Callable[[str], str]) -> Report:
    """Return the report with `change` applied to each of its strings, names of mappings included.

    Counts and samples are left alone: they are most of a report's size and hold no free text.
    """
    return _changed(report, change)


def _changed(value: T, change: Callable[[str], str]) -> T:
    """Return `value` with its strings changed, at any depth."""
    return _deep(value, change)  # type: ignore[return-value] # each branch keeps the type it was given


def _deep(value: object, change: Callable[[str], str]) -> object:
    match value:
        case Enum() | SliceCounts() | RawSeries():
            return value
        case str():
            return change(value)
        case tuple() | frozenset():
            return type(value)(_deep(item, change) for item in value)
        case Mapping():
            return {_deep(key, change): _deep(item, change) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = {field.name: getattr(value, field.name) for field in fields(value)}
            return replace(value, **{name: _deep(part, change) for name, part in parts.items()})
        case _:
            return value
