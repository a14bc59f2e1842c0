"""The block ``scrape`` of slo.yaml: metrics pages fetched directly, without a Prometheus server."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from slocheck.documents import types
from slocheck.documents.http import authority, host_and_port
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import format_duration
from slocheck.documents.urls import URL, sends_variables
from slocheck.documents.yaml_tree import SequenceNode
from slocheck.spec.blocks.metric_source.auth import AUTH, INLINE_AUTH
from slocheck.spec.blocks.metric_source.preset import PRESET_KEY, preset_of
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource
from slocheck.spec.blocks.tls import TLS
from slocheck.spec.model import AUTO, SourceBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeSource(SourceBlock):
    """Metrics pages fetched directly, one URL per replica.

    Attributes:
        urls: Every replica's metrics URL.
        interval: Seconds between scrapes during the run, 1..5.
    """

    kind: ClassVar[str] = "scrape"

    urls: tuple[str, ...]
    interval: float = 1.0

    def at_prometheus(self, url: str) -> PrometheusSource | None:
        """Return the block that asks for the page's instance; None if there are several pages."""
        if len(self.urls) != 1:
            return None
        instance = authority(*host_and_port(self.urls[0]))
        return PrometheusSource(
            url=url, preset=self.preset, selector={"instance": instance}, position=self.position
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every replica's metrics URL."""
        return self.urls

    @property
    def summary(self) -> str:
        """How many pages are scraped, and how often."""
        pages = len(self.urls)
        every = format_duration(Fraction(str(self.interval)))
        return f"scrape of {pages} page{'s' if pages > 1 else ''} every {every}"


_URLS: ValueType[tuple[str, ...]] = types.list_of(URL, at_least=1)
SCRAPE_URLS: Key[tuple[str, ...]] = Key(
    "urls", _URLS, (), "each replica's metrics page; ${NAME} is expanded", required=True
)
INTERVAL = Key("interval", types.duration("1s", "5s"), 1.0, "between two scrapes, 1s to 5s")
SCRAPE_KEYS: tuple[Key[Any], ...] = (SCRAPE_URLS, PRESET_KEY, INTERVAL, AUTH, TLS)


def _read_scrape(value: Value) -> ScrapeSource | None:
    if isinstance(value.node, SequenceNode):
        return ScrapeSource(
            urls=_URLS.read(value),
            preset=AUTO,
            position=value.position,
            sends_variables=sends_variables(value),
        )
    section = Section(value, SCRAPE_KEYS, refused=INLINE_AUTH)
    return ScrapeSource(
        urls=section.get(SCRAPE_URLS),
        sends_variables=sends_variables(section.value_of(SCRAPE_URLS)),
        preset=preset_of(section),
        position=value.position,
        interval=section.get(INTERVAL),
        auth=section.get(AUTH),
        tls=section.get(TLS),
    )


SCRAPE = Key(
    ScrapeSource.kind,
    ValueType(_read_scrape, {"oneOf": [_URLS.schema, object_schema(SCRAPE_KEYS)]}),
    None,
    "metrics pages fetched directly, without a Prometheus server",
)
