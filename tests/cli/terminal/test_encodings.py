"""What replaces the glyphs of the reports in encodings that lack them."""

import ast
import io
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.cli.streams import GLYPHS, UNKNOWN, encoding_for, in_ascii, write_document
from slocheck.reporters import FORMATS
from slocheck.reporters.escape import REPLACEMENT

PACKAGE = Path(__file__).parents[3] / "slocheck"


def _texts() -> Iterator[str]:
    """Yield every string in slocheck's code."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_glyph_of_slocheck_has_a_stand_in() -> None:
    """A new glyph without a replacement would be a question mark in a log."""
    own = {character for text in _texts() for character in text if not character.isascii()}
    sought = {character for character in own if unicodedata.name(character, "").startswith("FULLWIDTH")}
    shown = {character for character in own if character.isprintable()} - {REPLACEMENT} - sought
    assert shown >= {"✓", "✗", "…", "█"}
    assert {character for character in shown if in_ascii(character) == UNKNOWN} == set()


@pytest.mark.parametrize(
    ("environment", "encoding"),
    [
        pytest.param({}, "utf-8", id="none is set, as in a container: what Python chose"),
        pytest.param({"LANG": "C"}, "ascii", id="C"),
        pytest.param({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "ascii", id="as Python changes it"),
        pytest.param({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, "ascii", id="LC_ALL comes first"),
        pytest.param({"LANG": "C.UTF-8"}, "utf-8", id="C with UTF-8"),
        pytest.param({"LANG": "C", "PYTHONIOENCODING": "utf-8"}, "utf-8", id="asked for"),
        pytest.param({"LANG": "C", "PYTHONUTF8": "1"}, "utf-8", id="asked for in another way"),
    ],
)
def test_the_c_locale_gets_ascii(environment: dict[str, str], encoding: str) -> None:
    """Python would write UTF-8 there, which such a terminal cannot show."""
    assert encoding_for("utf-8", environment) == encoding


@given(st.text())
def test_any_text_becomes_ascii(text: str) -> None:
    """ASCII text stays as it is."""
    assert in_ascii(text).isascii()
    assert in_ascii(text) == text or not text.isascii()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("✓ latency_p95", "+ latency_p95"),
        ("✗ validity", "x validity"),
        ("▁▂▃▄▅▆▇█", ".:-=+*#@"),
        ("a ≥ b → c", "a >= b -> c"),
        ("Łódź", "??d?"),
        ("cut…", "cut~"),
    ],
)
def test_glyphs_have_stand_ins_and_foreign_text_question_marks(text: str, shown: str) -> None:
    """Glyphs in front of names keep their width, so columns stay aligned."""
    assert in_ascii(text) == shown


def test_stand_ins_of_glyphs_in_columns_are_as_wide() -> None:
    """Columns are aligned before the encoding is known."""
    assert {len(GLYPHS[glyph]) for glyph in "✓✗…·▁█"} == {1}


@pytest.mark.parametrize(
    ("utf8_only", "written"), [(True, "é#\n".encode()), (False, b"&#233;#\n")], ids=["UTF-8", "references"]
)
def test_a_document_without_references_is_utf_8_in_any_terminal(
    monkeypatch: pytest.MonkeyPatch, utf8_only: bool, written: bytes
) -> None:
    """OpenMetrics and CSV know no references, and GitLab would cut a line at the sign that begins one."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write_document("é#\n", utf8_only=utf8_only)
    sys.stdout.flush()
    assert raw.getvalue() == written
    assert {name for name, item in FORMATS.items() if item.utf8_only} == {"openmetrics", "csv"}
