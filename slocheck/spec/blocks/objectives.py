"""Objectives: indicator, endpoint, source and a limit per level, free of contradictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import InvalidValue, Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import shown
from slocheck.documents.yaml_tree import MappingNode, ScalarNode
from slocheck.spec.blocks.limits import (
    LATENCY_PATTERN,
    SINGLE,
    contradictions,
    indicator_named,
    limit_type,
    unknown_indicator,
)
from slocheck.spec.blocks.metric_source.preset import LABEL_PATTERN
from slocheck.spec.blocks.metric_source.sources import block_names
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import (
    EXTRA_LEVELS,
    Endpoint,
    Indicator,
    IndicatorKind,
    Limit,
    Objective,
    Reduce,
    SourceChoice,
)

NAME_PATTERN = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_NAME: ValueType[str] = types.text(pattern=NAME_PATTERN, what="objective name", example="checkout_p99")

PROMQL = Key("promql", types.QUERY, "", "query; $window stands for the window's length", required=True)
OVER: Key[Reduce | None] = Key(
    "over",
    types.choice("reduction", {str(name): name for name in Reduce}),
    None,
    "how the range over the window becomes one value; absent: the instant value at its end",
)
_PROMQL_KEYS: tuple[Key[Any], ...] = (PROMQL, OVER)


def _read_indicator(value: Value) -> Indicator | None:
    if not isinstance(value.node, ScalarNode):
        section = Section(value, _PROMQL_KEYS)
        return Indicator(IndicatorKind.PROMQL, promql=section.get(PROMQL), over=section.get(OVER))
    name = value.scalar().text
    indicator = indicator_named(name)
    if indicator is None:
        raise InvalidValue(unknown_indicator(name))
    return indicator


def _read_endpoint(value: Value) -> Endpoint | None:
    written = types.text().read(value)
    method, _, name = written.partition(" ")
    if not name.strip():
        raise InvalidValue(
            f'{shown(written)} has no method or no name; write one such as "GET /items/{{id}}"'
        )
    if not method.isascii() or not method.isalpha() or not method.isupper():
        raise InvalidValue(
            f'{shown(written)} does not begin with a method in capitals; write "GET {name.strip()}"'
        )
    return Endpoint(method, name.strip())


_INDICATOR_NAMES = f"({'|'.join((LATENCY_PATTERN, *SINGLE))})"
INDICATOR: Key[Indicator | None] = Key(
    "indicator",
    ValueType(
        _read_indicator,
        {
            "oneOf": [
                {"type": "string", "pattern": types.anchored(_INDICATOR_NAMES)},
                object_schema(_PROMQL_KEYS),
            ]
        },
    ),
    None,
    "what is measured; absent if the objective's name is an indicator",
)
ENDPOINT: Key[Endpoint | None] = Key(
    "endpoint",
    ValueType(_read_endpoint, {"type": "string", "pattern": r"^[A-Z]+ .*\S.*$"}),
    None,
    "the one endpoint it is about: method and name, as the scenario names it",
)
LABELS: Key[dict[str, str]] = Key(
    "labels",
    types.map_of(LABEL_PATTERN, "label name"),
    {},
    "label values of the endpoint on the server side, instead of the preset's method and route",
)
SOURCE: Key[SourceChoice | None] = Key(
    "source",
    types.choice("source", {str(name): name for name in SourceChoice}),
    None,
    "whose numbers are graded; absent: both if a source is configured",
)
OBJECTIVE_KEYS: tuple[Key[Any], ...] = (INDICATOR, ENDPOINT, LABELS, SOURCE)
RESERVED = (*EXTRA_LEVELS, *(key.name for key in OBJECTIVE_KEYS))
"""Names that no tier can have."""


@dataclass(frozen=True, slots=True)
class SpecContext:
    """What an objective needs from the rest of the spec.

    Attributes:
        tiers: Loosest first.
        server: Whether a metric source is configured.
        promql: Whether it accepts PromQL queries.
    """

    tiers: tuple[str, ...]
    server: bool
    promql: bool


def read_objectives(value: Value, around: SpecContext) -> tuple[Objective, ...]:
    """Read all objectives; raises InvalidValue if they are not a mapping."""
    entries = value.entries()
    if not entries:
        raise InvalidValue('has no objectives; write one such as latency_p95: {silver: "< 200ms"}')
    objectives = [_objective(key, child, around) for key, child in entries]
    return tuple(objective for objective in objectives if objective is not None)


def _objective(key: ScalarNode, value: Value, around: SpecContext) -> Objective | None:
    """Read one objective; None if too much of it is wrong."""
    name = Value(key, value.where, value.log)
    name.take(_NAME, "")
    levels = (*around.tiers, *EXTRA_LEVELS)
    if not isinstance(value.node, MappingNode):
        value.refuse(f'is not a mapping of levels to limits; write one such as {{{levels[0]}: "< 200ms"}}')
        return None
    indicator = _indicator_of(name, value)
    # without an indicator no limit can be read, but the keys can still be checked
    form = limit_type(indicator.kind) if indicator else ValueType(lambda _: None, {})
    level_keys = [Key[Limit | None](level, form, None, "a limit") for level in levels]
    section = Section(value, [*level_keys, *OBJECTIVE_KEYS])
    if not any(section.has(level) for level in level_keys):
        value.refuse(f"has no limit; write at least one of {', '.join(levels)}")
    limits = {level.name: limit for level in level_keys if (limit := section.get(level)) is not None}
    for level, what in contradictions(limits, around.tiers):
        value.log.add(limits[level].position, f"{value.where}.{level}", what)
    objective = Objective(
        name=key.text,
        indicator=indicator or Indicator(IndicatorKind.PROMQL),
        limits=limits,
        position=key.position,
        endpoint=section.get(ENDPOINT),
        labels=section.get(LABELS),
        source=_source_of(section, indicator, around),
    )
    return objective if indicator else None


def _indicator_of(name: Value, value: Value) -> Indicator | None:
    """Return the indicator, by its key or the objective's name; record problems."""
    by_key = next((child for key, child in value.entries() if key.text == INDICATOR.name), None)
    if by_key is None:
        return name.take(ValueType(_read_by_name, {}), None)
    indicator = by_key.take(INDICATOR.value_type, None)
    try:
        by_name = indicator_named(name.scalar().text)
    except InvalidValue:
        by_name = None
    if indicator and by_name and indicator != by_name:
        name.refuse("is named after one indicator and measures another; rename it, or remove 'indicator'")
    return indicator


def _read_by_name(value: Value) -> Indicator:
    name = value.scalar().text
    indicator = indicator_named(name)
    if indicator is None:
        raise InvalidValue(f"{unknown_indicator(name)} Or say what it measures: indicator: latency_p99")
    return indicator


def _source_of(section: Section, indicator: Indicator | None, around: SpecContext) -> SourceChoice:
    """Resolve which side's numbers are graded; record it if that side is not available."""
    chosen = section.get(SOURCE)
    source = section.value_of(SOURCE)
    labels = section.value_of(LABELS)
    if indicator and traits_of(indicator.kind).is_query:
        _check_promql(section, chosen, around)
        return SourceChoice.PROMETHEUS
    if source and chosen not in (None, SourceChoice.CLIENT) and not around.server:
        source.refuse(f"needs a metric source; write a {block_names()} block, or source: client")
    resolved = chosen or (SourceChoice.BOTH if around.server else SourceChoice.CLIENT)
    if labels and resolved is SourceChoice.CLIENT:
        labels.refuse("has no use without server-side numbers; remove it, or configure a source")
    elif labels and not section.has(ENDPOINT) and resolved is SourceChoice.BOTH:
        labels.refuse("narrows the server side only; write endpoint too, or source: prometheus")
    return resolved


def _check_promql(section: Section, chosen: SourceChoice | None, around: SpecContext) -> None:
    """Record the keys that do not apply to a PromQL indicator."""
    source, indicator = section.value_of(SOURCE), section.value_of(INDICATOR)
    if source and chosen not in (None, SourceChoice.PROMETHEUS):
        source.refuse(
            "cannot grade a PromQL query on the client side; write source: prometheus, or remove it"
        )
    if indicator and not around.promql:
        needed = block_names(promql=True)
        indicator.refuse(f"is a PromQL query, so it needs a Prometheus server; write a {needed} block")
    for key in (ENDPOINT, LABELS):
        if child := section.value_of(key):
            child.refuse(
                "does not apply to a PromQL query; write the condition into promql and remove the key"
            )


def _limits_schema(kind: IndicatorKind, *, required: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of an objective with limits in the form of `kind`."""
    schema = {"description": f"objective on {kind}", **object_schema(OBJECTIVE_KEYS)}
    limit = limit_type(kind).schema
    schema["properties"] |= {level: {**limit, "description": "a limit"} for level in EXTRA_LEVELS}
    schema["additionalProperties"] = limit  # one of the user's tiers
    schema["required"] = list(required)
    schema["minProperties"] = len(required) + 1
    return schema


def objectives_schema() -> dict[str, Any]:
    """Return the JSON Schema of the mapping of objectives, with each indicator's own limits."""
    single = {name: _limits_schema(indicator.kind) for name, indicator in SINGLE.items()}
    any_limit = {"type": "string", "pattern": r"^\s*(<=|>=|<|>)\s*-?[0-9]"}
    named = _limits_schema(IndicatorKind.PROMQL, required=[INDICATOR.name])
    named["additionalProperties"] = any_limit
    named["properties"] |= dict.fromkeys(EXTRA_LEVELS, any_limit)
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": types.anchored(NAME_PATTERN)},
        "properties": single,
        "patternProperties": {types.anchored(LATENCY_PATTERN): _limits_schema(IndicatorKind.LATENCY)},
        "additionalProperties": named,
    }
