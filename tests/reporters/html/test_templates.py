"""Templates are compiled once, not in each run; whatever became of the compiled ones, a report is whole."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jinja2 import Environment

from slocheck.reporters import FORMATS
from slocheck.reporters.html import documents
from tests.builders.reports import report


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that were compiled, as they are; the folder for what Python compiles is a new one."""
    names: list[str] = []
    original = Environment.compile

    def compile_one(self: Environment, source: str, name: str, *more: object) -> object:
        names.append(name)
        return original(self, source, name, *more)  # type: ignore[call-overload] # as it is called

    monkeypatch.setattr(Environment, "compile", compile_one)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "compiled"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return names


def rendered_anew() -> str:
    """Render the sample run's report as a new process would."""
    documents.environment.cache_clear()
    return FORMATS["html"].render(report())


def kept(folder: Path) -> list[Path]:
    """Return the compiled templates."""
    return sorted(folder.rglob("*.jinja"))


def test_a_further_report_compiles_no_template(tmp_path: Path, compiled: list[str]) -> None:
    """It is the same, and nothing but the compiled templates was written."""
    first = rendered_anew()
    assert "report.html.j2" in compiled
    assert len(kept(tmp_path)) == len(compiled) == len({*compiled})
    compiled.clear()
    assert rendered_anew() == first
    assert compiled == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="cut off"),
        pytest.param(lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]), id="of other settings"),
        pytest.param(lambda path: path.unlink(), id="gone"),
    ],
)
def test_what_is_not_whole_is_compiled_again(
    change: Callable[[Path], object], tmp_path: Path, compiled: list[str]
) -> None:
    """A full disk, another version and a folder that was cleared cost time, and nothing else."""
    first = rendered_anew()
    names = [*compiled]
    for path in kept(tmp_path):
        change(path)
    compiled.clear()
    assert rendered_anew() == first
    assert compiled == names
    compiled.clear()
    assert rendered_anew() == first
    assert compiled == []


def test_a_folder_that_cannot_be_written_keeps_nothing(
    tmp_path: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with Python's own modules; the same holds where Python is told to write none."""
    (tmp_path / "compiled").write_text("a file")
    first = rendered_anew()
    assert rendered_anew() == first
    assert len(compiled) == 2 * len({*compiled})
    (tmp_path / "compiled").unlink()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert rendered_anew() == first
    assert kept(tmp_path) == []


def test_other_settings_and_other_sources_have_other_digests() -> None:
    """What was compiled for another version of a template is not taken."""
    cache = documents.CompiledTemplates()
    assert cache.get_source_checksum("a") != cache.get_source_checksum("b")
