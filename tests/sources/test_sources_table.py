"""The table of sources: a third one is a package, a block of the spec, and one line in each table."""

import inspect
from dataclasses import dataclass
from math import comb
from typing import Any, ClassVar

import pytest

from slocheck.cli.wiring import source_factory
from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.evidence.series import ServerSeries, SourcePreflight
from slocheck.pipeline.ports import MetricSource
from slocheck.pipeline.probe import probe
from slocheck.plan.families import Family
from slocheck.plan.metric_plan import MetricPlan, metric_plan
from slocheck.reporters.terminal.spec import summary
from slocheck.sources import SOURCES
from slocheck.spec.blocks.metric_source.preset import PRESET_KEY, preset_of
from slocheck.spec.blocks.metric_source.sources import SOURCE_BLOCKS, block_names
from slocheck.spec.model import SourceBlock, SourceChoice, Spec
from slocheck.spec.schema import json_schema
from tests.builders.good_spec import problems_of
from tests.builders.specs import make_spec

PORT = tuple(name for name in vars(MetricSource) if not name.startswith("_"))
OBJECTIVES = '  error_rate: {silver: "< 1%"}\n'
BLOCKS = {
    "prometheus": 'prometheus: {url: "http://127.0.0.1:1", selector: {job: shop}}\n',
    "scrape": 'scrape: ["http://127.0.0.1:1/metrics"]\n',
}


def configured(block: str) -> Spec:
    """Return a spec with this block of a metric source."""
    return make_spec(OBJECTIVES, more=block)


def test_both_tables_name_the_same_sources() -> None:
    """A block without a source could be written in a spec but not served."""
    assert list(SOURCES) == [block.kind for block in SOURCE_BLOCKS] == list(BLOCKS)
    assert [key.name for key in SOURCE_BLOCKS.values()] == list(SOURCES)


@pytest.mark.parametrize("kind", BLOCKS)
def test_every_source_has_the_methods_of_the_pipelines_port(kind: str) -> None:
    """The same names and arguments; making one touches no network."""
    source = source_factory(())(configured(BLOCKS[kind]))
    assert source is not None
    for name in PORT:
        expected = inspect.signature(getattr(MetricSource, name)).parameters.values()
        found = inspect.signature(getattr(type(source), name)).parameters.values()
        assert [(one.name, one.kind) for one in found] == [(one.name, one.kind) for one in expected]
    source.close()


def test_without_a_block_there_is_no_source() -> None:
    """The client side alone is graded."""
    assert source_factory(())(make_spec(OBJECTIVES)) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBlock(SourceBlock):
    """A third source: a metrics page kept in a file."""

    kind: ClassVar[str] = "file"

    path: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """None: nothing is connected to."""
        return ()

    @property
    def summary(self) -> str:
        """The file."""
        return f"file {self.path}"


PATH = Key("path", types.text(), "", "a metrics page", required=True)


def read_file_block(value: Value) -> FileBlock | None:
    """Read the block of the third source."""
    section = Section(value, (PATH, PRESET_KEY))
    return FileBlock(path=section.get(PATH), preset=preset_of(section), position=value.position)


FILE = Key(
    FileBlock.kind, ValueType(read_file_block, object_schema((PATH, PRESET_KEY))), None, "a metrics page"
)


class FileSource:
    """The source that would read the file."""

    def __init__(self, block: FileBlock, plan: MetricPlan) -> None:
        self.block, self.plan = block, plan

    def check(self) -> None:
        """Need nothing."""

    def preflight(self) -> SourcePreflight:
        """Return what is known of a file."""
        return SourcePreflight(scrape_interval=1.0, clock_skew=0.0, targets=1)

    def families(self, *, after: float | None = None) -> tuple[Family, ...]:
        """Return no family."""
        assert after is None
        return ()

    def use(self, plan: MetricPlan) -> None:
        """Do nothing."""

    def start(self) -> None:
        """Do nothing."""

    def collect(self, *, load_start: float, window_start: float, end: float, sent: int) -> ServerSeries:  # noqa: ARG002 - a source of files has no use for it
        """Return no series, archived with the mapping they were queried by."""
        return ServerSeries(FileBlock.kind, self.plan.mapping, load_start, window_start, end)

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a line to each of the two tables."""
    blocks: Any = SOURCE_BLOCKS
    monkeypatch.setitem(blocks, FileBlock, FILE)
    monkeypatch.setitem(SOURCES, FileBlock.kind, FileSource)


@pytest.mark.usefixtures("third")
def test_a_third_source_is_one_line_in_each_table() -> None:
    """It is read from the spec, planned for, shown, graded on, and handed to the pipeline."""
    spec = configured("file: {path: page.txt, preset: istio}\n")
    assert spec.objectives[0].source is SourceChoice.BOTH
    assert "file page.txt, preset istio" in summary(spec)
    source = source_factory(())(spec)
    assert isinstance(source, FileSource)
    assert source.plan == metric_plan(spec)
    assert source.plan.series_texts[0] == 'istio_requests_total{reporter="destination"}'
    assert source.collect(load_start=1, window_start=2, end=3, sent=4).preset.name == "istio"
    assert probe(spec, source_factory(())).obstacles == {}


@pytest.mark.usefixtures("third")
def test_a_third_source_is_held_to_the_rules_of_the_others() -> None:
    """Only one source at a time; its name is in messages and in the schema."""
    assert block_names() == " or ".join((*BLOCKS, "file"))
    assert "file" in json_schema()["properties"]
    text = configured("file: {path: page.txt}\n").text
    assert problems_of(f"{text}{BLOCKS['scrape']}") == [
        "9:1 file: cannot be combined with scrape on line 10; keep one of the two"
    ]
    assert len(json_schema()["not"]["anyOf"]) == comb(len(SOURCES), 2)
