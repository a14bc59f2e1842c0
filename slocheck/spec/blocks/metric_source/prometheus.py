"""The block ``prometheus`` of slo.yaml: a Prometheus server that scrapes the service."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.documents.secret_names import is_secret_name
from slocheck.documents.units import shown
from slocheck.documents.urls import BASE_URL, sends_variables
from slocheck.spec.blocks.metric_source.auth import AUTH, HEADER_PATTERN, INLINE_AUTH
from slocheck.spec.blocks.metric_source.preset import LABEL_PATTERN, PRESET_KEY, preset_of
from slocheck.spec.blocks.metric_source.related_jobs import RELATED_JOBS_KEYS, read_related_jobs
from slocheck.spec.blocks.tls import TLS
from slocheck.spec.model import SourceBlock

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSource(SourceBlock):
    """A Prometheus server, or another server with its query API.

    Attributes:
        url: Base URL, with its path prefix.
        headers: Plain extra headers (``X-Scope-OrgID``).
        params: Extra query parameters (``dedup: "true"``).
        timeout: Seconds for one query.
    """

    kind: ClassVar[str] = "prometheus"
    takes_promql: ClassVar[bool] = True

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 30.0

    def at_prometheus(self, url: str) -> "PrometheusSource":
        """Return the block with another address."""
        return replace(self, url=url, sends_variables=False)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The server's base URL."""
        return (self.url,)

    @property
    def summary(self) -> str:
        """The server's address and the labels that pin the service."""
        labels = ", ".join(f'{label}="{value}"' for label, value in self.selector.items())
        return f"Prometheus {self.url} {{{labels}}}"


def _plain_map(name_pattern: str, what: str, remedy: str) -> ValueType[dict[str, str]]:
    """Return the type of a mapping of texts whose names must not suggest secrets."""
    inner = types.map_of(name_pattern, what)

    def read(value: Value) -> dict[str, str]:
        for key, child in value.entries():
            if key.text.lower() in _SECRET_HEADERS or is_secret_name(key.text):
                child.refuse(f"{shown(key.text)} holds a secret; {remedy}")
        return inner.read(value)

    return ValueType(read, inner.schema)


PROMETHEUS_URL = Key(
    "url", BASE_URL, "", "base URL, with its path prefix; ${NAME} is expanded", required=True
)
SELECTOR: Key[dict[str, str]] = Key(
    "selector",
    types.map_of(LABEL_PATTERN, "label name", at_least=1),
    {},
    "label values that pin the job, such as {job: shop-api}",
    required=True,
)
HEADERS: Key[dict[str, str]] = Key(
    "headers",
    _plain_map(HEADER_PATTERN, "header name", "write it as auth: {headers_env: {NAME: VARIABLE}}"),
    {},
    "plain extra headers, such as X-Scope-OrgID",
)
PARAMS: Key[dict[str, str]] = Key(
    "params",
    _plain_map("[A-Za-z0-9_.-]{1,100}", "parameter name", "send it as a header by auth: {headers_env: ...}"),
    {},
    "extra query parameters",
)
TIMEOUT = Key("timeout", types.duration("1s", "10m"), 30.0, "for one query, such as 30s")
PROMETHEUS_KEYS: tuple[Key[Any], ...] = (
    PROMETHEUS_URL, PRESET_KEY, SELECTOR, AUTH, HEADERS, PARAMS, TLS, TIMEOUT, *RELATED_JOBS_KEYS,
)  # fmt: skip


def _read_prometheus(value: Value) -> PrometheusSource | None:
    section = Section(value, PROMETHEUS_KEYS, refused=INLINE_AUTH)
    return PrometheusSource(
        url=section.get(PROMETHEUS_URL),
        sends_variables=sends_variables(section.value_of(PROMETHEUS_URL)),
        preset=preset_of(section),
        selector=section.get(SELECTOR),
        position=value.position,
        auth=section.get(AUTH),
        headers=section.get(HEADERS),
        params=section.get(PARAMS),
        tls=section.get(TLS),
        timeout=section.get(TIMEOUT),
        related_jobs=read_related_jobs(section),
    )


PROMETHEUS = Key(
    PrometheusSource.kind,
    ValueType(_read_prometheus, object_schema(PROMETHEUS_KEYS)),
    None,
    "a Prometheus server that scrapes the service",
)
