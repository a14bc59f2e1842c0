"""The metric source that fetches the service's metrics pages itself."""

from typing import TYPE_CHECKING

from slocheck.plan.metric_plan import MetricPlan
from slocheck.spec.blocks.metric_source.scrape import ScrapeSource

if TYPE_CHECKING:
    from slocheck.sources.scrape.source import ScrapePages


def make_source(block: ScrapeSource, plan: MetricPlan) -> "ScrapePages":
    """Return the source that scrapes the pages of `block` for what `plan` lists."""
    from slocheck.sources.scrape.source import ScrapePages  # noqa: PLC0415 - loaded when used

    return ScrapePages(block, plan)
