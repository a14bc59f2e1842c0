"""The ``target`` block of slo.yaml."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import InvalidValue, Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import shown
from slocheck.documents.urls import BASE_URL
from slocheck.documents.yaml_tree import ScalarNode
from slocheck.spec.blocks.tls import TLS
from slocheck.spec.model import Target, Tls

FROM_PROMETHEUS = "prometheus"

_COUNT = types.whole(1, 10_000)


def _read_instances(value: Value) -> int | None:
    """Read a number, or None for "counted from the server's series"."""
    node = value.node
    if isinstance(node, ScalarNode) and node.text == FROM_PROMETHEUS:
        return None
    if isinstance(node, ScalarNode) and node.text and not node.text[0].isdigit():
        raise InvalidValue(
            f"{shown(node.text)} is not a number of instances; write 1 or more, or {FROM_PROMETHEUS}"
        )
    return _COUNT.read(value)


TARGET_URL = Key("url", BASE_URL, "", "base URL of the API under load; ${NAME} is expanded", required=True)
INSTANCES: Key[int | None] = Key(
    "instances",
    ValueType(_read_instances, {"oneOf": [_COUNT.schema, {"const": FROM_PROMETHEUS}]}),
    1,
    "how many instances serve it; prometheus: counted from the server's series",
)
TARGET_KEYS: tuple[Key[Any], ...] = (TARGET_URL, INSTANCES, TLS)


def _read_target(value: Value) -> Target:
    section = Section(value, TARGET_KEYS)
    return Target(section.get(TARGET_URL), section.get(INSTANCES), section.get(TLS))


TARGET = Key(
    "target",
    ValueType(_read_target, object_schema(TARGET_KEYS)),
    Target("", 1, Tls()),
    "the API under load",
    required=True,
)
