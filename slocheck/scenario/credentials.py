"""Finds what a scenario holds as it is and, by its name, is a credential."""

import re
from collections.abc import Iterator

from slocheck.documents.secret_names import is_secret_name
from slocheck.scenario.model import (
    FormBody,
    JsonArray,
    JsonBody,
    JsonObject,
    JsonTemplate,
    Scenario,
    Step,
    Template,
)

_COOKIES = frozenset({"cookie", "set-cookie"})
_IN_QUERY = re.compile(r"[?&]([^=&]+)=[^&]")


def written_out(scenario: Scenario) -> Iterator[Template]:
    """Yield the texts that are credentials by their names, and hold neither a variable nor a placeholder."""
    for name, text in _named(scenario):
        named = is_secret_name(name) or name.lower() in _COOKIES
        if named and text.written and "${" not in text.written and not text.placeholders:
            yield text


def _named(scenario: Scenario) -> Iterator[tuple[str, Template]]:
    yield from scenario.headers
    for flow in scenario.flows:
        for step in flow.steps:
            yield from _of_step(step)


def _of_step(step: Step) -> Iterator[tuple[str, Template]]:
    yield from ((name, step.path) for name in _IN_QUERY.findall(step.path.written))
    yield from step.query
    yield from step.headers
    match step.body:
        case JsonBody(value):
            yield from _members(value)
        case FormBody(fields):
            yield from fields


def _members(value: JsonTemplate) -> Iterator[tuple[str, Template]]:
    match value:
        case JsonObject(members):
            for name, child in members:
                if isinstance(child, Template):
                    yield name, child
                else:
                    yield from _members(child)
        case JsonArray(items):
            for child in items:
                yield from _members(child)
