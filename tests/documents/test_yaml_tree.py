"""Hostile YAML: every input ends in a tree or in SpecError, quickly."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.documents.position import Position
from slocheck.documents.yaml_tree import (
    MAX_BYTES,
    MAX_DEPTH,
    MappingNode,
    ScalarNode,
    SequenceNode,
    parse_document,
)
from slocheck.errors import Problem, SpecError
from slocheck.spec.loader import parse_spec
from tests.builders.good_spec import GOOD

DEADLINE = 20.0
"""Seconds of processor time: far above what linear time takes, far below what quadratic time does."""


def problem(text: str | bytes) -> str:
    """Return the first problem of a document that must have one, without the path."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with pytest.raises(SpecError) as caught:
        parse_document(data, "a.yaml")
    return str(caught.value.problems[0]).removeprefix("a.yaml:")


def test_scalars_stay_the_text_that_was_written() -> None:
    """No text becomes a boolean, a number, a date or null."""
    text, node = parse_document(b"a: no\nb: [1:30, 0777, 2024-01-01, ~]\nc: 'x'\n", "a.yaml")
    assert isinstance(node, MappingNode)
    values = {key.text: value for key, value in node.entries}
    assert values["a"] == ScalarNode("no", plain=True, position=Position(1, 4))
    assert isinstance(values["b"], SequenceNode)
    assert [item.text for item in values["b"].items if isinstance(item, ScalarNode)] == [
        "1:30",
        "0777",
        "2024-01-01",
        "~",
    ]
    assert values["c"] == ScalarNode("x", plain=False, position=Position(3, 4))
    assert text.startswith("a: no")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "1:1 is empty; write a spec (`slocheck init` writes one to begin with)", id="empty"),
        pytest.param("# x\n", "1:1 is empty; write a spec", id="only a comment"),
        pytest.param("a: &x 1", "1:4 has the anchor 'x'; remove it", id="anchor"),
        pytest.param("a: 1\nb: *x", "2:4 uses the alias 'x'; write the value out", id="alias"),
        pytest.param("<<: {a: 1}", "1:1 uses the merge key <<", id="merge key"),
        pytest.param(
            "a: !!python/object/apply:os.system [x]", "1:4 has the tag 'tag:yaml.org,2002", id="object"
        ),
        pytest.param("a: !x 1", "1:4 has the tag '!x'; remove it", id="own tag"),
        pytest.param("a: ! 1", "1:4 has the tag '!'", id="empty tag"),
        pytest.param("a: 1\n---\nb: 2", "2:1 begins a second document", id="two documents"),
        pytest.param("%YAML 1.1\n---\na: 1", "1:1 has a directive", id="directive"),
        pytest.param(
            "a: 1\nb: 2\na: 3", "3:1 repeats the key 'a' of line 1; keep one of them", id="duplicate"
        ),
        pytest.param("? [a]\n: b", "1:3 uses a list or mapping as a key; write a name", id="complex key"),
        pytest.param("a:\n\tb: 1", "2:1 has a tab where YAML wants spaces", id="tab"),
        pytest.param(
            "a: > 90%", "1:6 begins a block of text with > or |; put a limit in quotes", id="bare >"
        ),
        pytest.param(
            "{a: >= 90%}", "1:5 begins a block of text with > or |; put a limit", id="bare > in braces"
        ),
        pytest.param("a: @x", "1:4 begins with '@', which needs quotes", id="reserved character"),
        pytest.param("a: b: c", "1:5 has a second ': ' in one value", id="two colons"),
        pytest.param("a: [1, 2", "1:9 is not YAML while parsing a flow sequence", id="open bracket"),
        pytest.param('a: "\\UFFFFFFFF"', "1:1 has an escape or number after this place", id="escape"),
        pytest.param("%YAML " + "1" * 5000 + ".1\n---\na: 1", "1:1 has an escape", id="huge version"),
        pytest.param(
            'a: "\\ud800"', "1:4 has the control character U+D800; remove it", id="surrogate escape"
        ),
        pytest.param('a: "\\x1b[2J"', "1:4 has the control character U+001B", id="escaped ESC"),
        pytest.param("a: \x1b[2J", "1:4 has the control character U+001B", id="raw ESC"),
        pytest.param("a: 1\n# \u202e", "2:3 has the control character U+202E", id="bidi override"),
        pytest.param("a: 1 # \u2028gate: x", "1:8 has the control character U+2028", id="line separator"),
        pytest.param("a: 1 # \rgate: x", "1:8 has the control character U+000D", id="lone carriage return"),
        pytest.param("a: 1\n\x00", "2:1 has the control character U+0000", id="NUL"),
        pytest.param(b"a: \xff", "1:4 is not UTF-8 (byte 0xff); save the file as UTF-8", id="not UTF-8"),
        pytest.param(b"\xff\xfea\x00", "1:1 is not UTF-8 (byte 0xff)", id="UTF-16"),
        pytest.param("a: \ud800", "1:4 is not UTF-8 (byte 0xed)", id="encoded surrogate"),
        pytest.param(
            "a" * (MAX_BYTES + 1), "1:1 has 262,145 bytes; at most 262,144 are read", id="too large"
        ),
    ],
)
def test_refused_documents_say_why(text: str | bytes, message: str) -> None:
    """Each refusal has a place and a remedy."""
    assert problem(text).startswith(message)


def test_windows_files_are_read() -> None:
    """A byte order mark and CRLF are common, not an attack; line numbers stay right."""
    spec = parse_spec(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(), "slo.yaml")
    assert spec.objectives[0].position == Position(18, 3)


def test_depth_is_limited() -> None:
    """The deepest allowed nesting is read, one level more is refused."""
    parse_document(("[" * MAX_DEPTH + "]" * MAX_DEPTH).encode(), "a.yaml")
    assert "nested deeper than 20" in problem("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 200_000, id="brackets"),
        pytest.param("{" * 200_000, id="braces"),
        pytest.param("a: [" * 60_000, id="keys and brackets"),
        pytest.param("- " * 130_000, id="nested lists"),
        pytest.param("? " * 130_000, id="nested keys"),
        pytest.param("- a\n" * 65_000, id="long list"),
        pytest.param("[" + "a," * 130_000 + "]", id="long flow list"),
        pytest.param(
            "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 4000)), id="alias bomb"
        ),
        pytest.param("a: 1\n" * 50_000, id="duplicates"),
        pytest.param("".join(f"servic{i}: 1\n" for i in range(15_000)), id="unknown keys"),
        pytest.param("a: " + "x " * 130_000, id="long words"),
        pytest.param("service: " + "9" * 200_000, id="long integer"),
        pytest.param("a: |\n" + " x\n" * 80_000, id="long block"),
        pytest.param(" " * 262_000, id="spaces"),
        pytest.param("&" + "a" * 262_000, id="long anchor"),
    ],
)
def test_bombs_are_refused_in_linear_time(text: str) -> None:
    """A quarter of a megabyte of anything takes well under a second on an idle machine."""
    before = time.process_time()
    with pytest.raises(SpecError) as caught:
        parse_spec(text.encode(), "a.yaml", environment={})
    assert time.process_time() - before < DEADLINE
    assert len(str(caught.value)) < 100_000


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_end_in_spec_error(data: bytes) -> None:
    """No other exception leaves the loader, whatever the bytes."""
    with pytest.raises(SpecError):
        parse_spec(data, "a.yaml", environment={})


@settings(max_examples=300)
@given(
    st.integers(min_value=0, max_value=len(GOOD) - 1),
    st.integers(min_value=0, max_value=12),
    st.text(alphabet="[]{}:,-&*!|>'\"%@`#? \n\t0a~<=$\\\x00é\ud800", max_size=6),
)
def test_a_mangled_spec_is_read_or_refused(begin: int, length: int, inserted: str) -> None:
    """A good spec with a part removed and noise added gives a spec or SpecError."""
    data = (GOOD[:begin] + inserted + GOOD[begin + length :]).encode("utf-8", "surrogatepass")
    places = [(problem.line, problem.column) for problem in _problems(data)]
    assert places == sorted(places)
    assert all(line >= 1 and column >= 1 for line, column in places)


def _problems(data: bytes) -> tuple[Problem, ...]:
    try:
        parse_spec(data, "a.yaml", environment={})
    except SpecError as error:
        return error.problems
    return ()
