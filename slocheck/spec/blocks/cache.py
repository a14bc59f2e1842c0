"""The ``cache`` block of slo.yaml."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.spec.blocks.metric_source.auth import HEADER_PATTERN
from slocheck.spec.model import CacheRule

_HEADER = types.text(pattern=HEADER_PATTERN, what="header name", example="x-cache")
CACHE_HEADERS: Key[tuple[str, ...]] = Key(
    "headers",
    types.list_of(_HEADER, at_least=1),
    CacheRule().headers,
    "response headers that distinguish a hit from a miss, in order of precedence",
)
CACHE_KEYS: tuple[Key[Any], ...] = (CACHE_HEADERS,)


def _read_cache(value: Value) -> CacheRule:
    headers = Section(value, CACHE_KEYS).get(CACHE_HEADERS)
    return CacheRule(tuple(dict.fromkeys(header.lower() for header in headers)))


CACHE = Key(
    "cache", ValueType(_read_cache, object_schema(CACHE_KEYS)), CacheRule(), "how responses show cache hits"
)
