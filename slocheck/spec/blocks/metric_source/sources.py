"""The table of metric source blocks; a new source needs one module and one line here."""

from collections.abc import Mapping

from slocheck.documents.reader import Key, Section
from slocheck.spec.blocks.metric_source.prometheus import PROMETHEUS, PrometheusSource
from slocheck.spec.blocks.metric_source.scrape import SCRAPE, ScrapeSource
from slocheck.spec.model import SourceBlock

SOURCE_BLOCKS: Mapping[type[SourceBlock], Key[SourceBlock | None]] = {
    PrometheusSource: PROMETHEUS,
    ScrapeSource: SCRAPE,
}


def block_names(*, promql: bool = False) -> str:
    """Return the blocks' names for a message; with `promql` only those whose source accepts PromQL."""
    return " or ".join(block.kind for block in SOURCE_BLOCKS if block.takes_promql or not promql)


def written_blocks(root: Section) -> tuple[type[SourceBlock], ...]:
    """Return the kinds of source that a spec configures, valid or not; more than one is a problem."""
    return tuple(block for block, key in SOURCE_BLOCKS.items() if root.has(key))
