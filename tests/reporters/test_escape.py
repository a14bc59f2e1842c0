"""Each sink's sanitiser, against text that tries to break out of it."""

import html
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from slocheck.reporters import escape
from tests.builders.reports import HOSTILE

ANY = st.one_of(
    st.text(alphabet=st.characters(), max_size=60),
    st.lists(st.sampled_from([*HOSTILE, "\x1b[31m", "\x9b2J", "|", "`", "::", "\r\n", "@", "<"])).map(
        "".join
    ),
)


@given(ANY)
def test_clean_text_has_no_invisible_character(text: str) -> None:
    """No control or format characters, surrogates or line ends are left, and once is enough."""
    cleaned = escape.clean(text)
    assert not {unicodedata.category(c) for c in cleaned} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert escape.clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\x1b[2Jb\x1b[1;31mc", "abc", id="colour and erase"),
        pytest.param("a\x1b]0;title\x07b", "ab", id="title of the window"),
        pytest.param("a\x1b]8;;http://x\x1b\\b", "ab", id="hyperlink, ended by ST"),
        pytest.param("a\x1bcb", "ab", id="reset"),
        pytest.param("a\x9b2Jb", "ab", id="one-character introducer"),
        pytest.param("a\x1b", "a", id="a lone escape"),
        pytest.param("two\r\nlines", "two  lines", id="line ends are spaces"),
        pytest.param("\u202eabc\u2069", "abc", id="bidi"),
        pytest.param("z\ud800", "z\ufffd", id="surrogate"),
        pytest.param("Grüße, 漢字 🙂", "Grüße, 漢字 🙂", id="people's languages stay"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    """What a terminal would obey is removed, what a person would read is kept."""
    assert escape.clean(text) == expected


@given(ANY)
def test_terminal_text_prints_as_it_is(text: str) -> None:
    """In a `Text` no markup is read, no sequence is passed on, and no CI command begins a line."""
    safe = escape.for_terminal(text)
    out = io.StringIO()
    console = Console(file=out, width=500, force_terminal=False)
    console.print(Text(safe), soft_wrap=True, markup=False, highlight=False, emoji=False)
    printed = out.getvalue()
    assert printed == safe + "\n"
    assert not printed.lstrip().startswith("::")
    assert "##[" not in printed


COMMANDS = [
    "::error::x",
    "::Error::x",
    "::set-output name=a::b",
    "::add-mask::x",
    "##vso[task.complete]",
    "##[error]x",
]


@given(ANY, st.sampled_from([*COMMANDS, "##teamcity[testFailed]"]), ANY)
def test_no_ci_runner_reads_a_command(before: str, command: str, after: str) -> None:
    """Wherever it is in a message of one line or several; an IPv6 address stays as it is."""
    for line in escape.for_terminal_lines(f"{before}{command}{after} [::1]:80").split("\n"):
        assert not re.search(r"^\s*::|::(error|set-output|add-mask)|##\w*\[", line, re.IGNORECASE)
        assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf"}
    assert escape.for_terminal("[::1]:80 is ::ffff:10.0.0.1") == "[::1]:80 is ::ffff:10.0.0.1"


@given(ANY, st.sampled_from(["##vso[task.complete]", "##[error]x"]), ANY)
def test_no_report_holds_a_command(before: str, command: str, after: str) -> None:
    """A report that is printed into a log is not obeyed either, and JSON says the same as before."""
    text = f"{before}{command}{after}"
    shown = (
        *(escape.for_html(text), escape.for_json({text: text}), escape.for_script_json([text])),
        *(escape.for_xml(text), escape.for_markdown(text), escape.for_markdown_code(text)),
    )
    assert not [safe for safe in shown if re.search(r"##\w*\[", safe)]
    assert json.loads(escape.for_json({text: text}, indent=2)) == {text: text}


@given(ANY)
def test_html_text_stays_text(text: str) -> None:
    """No character of HTML's syntax is left, and a browser reads the cleaned text back."""
    safe = escape.for_html(text)
    assert not set(safe) & set("<>\"'")
    assert html.unescape(safe) == escape.clean(text)


@given(st.recursive(ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner), max_leaves=5))
def test_json_in_a_script_cannot_end_it(value: object) -> None:
    """The element's end cannot occur, and the value is read back unchanged."""
    safe = escape.for_script_json(value)
    assert not set(safe) & set("<>&\u2028\u2029")
    assert json.loads(safe) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_in_a_script_has_no_nan(value: float) -> None:
    """A browser's parser would reject it."""
    with pytest.raises(ValueError, match="Out of range"):
        escape.for_script_json([value])


@given(ANY)
def test_markdown_text_stays_text(text: str) -> None:
    """No HTML, no unescaped syntax, one line; without the guards, the cleaned text is read back."""
    safe = escape.for_markdown(text)
    assert not set(safe) & set("<>\n")
    unescaped = re.sub(r"\\.", "", safe.replace("&#8203;", ""))
    assert not set(unescaped) & set("`*_[]{}()|#~!$^")
    visible = html.unescape(re.sub(r"\\(.)", r"\1", safe.replace("&#8203;", "")))
    assert visible == html.unescape(html.escape(escape.clean(text), quote=False))


@pytest.mark.parametrize(
    "text", ["@everyone", "see #12", "http://evil.example", "www.evil.example", "!3 ~bug"]
)
def test_markdown_makes_no_reference(text: str) -> None:
    """An invisible space breaks what a forge would turn into a mention, a reference or a link."""
    rendered = html.unescape(re.sub(r"\\(.)", r"\1", escape.for_markdown(text)))
    assert not re.search(r"[@#!~]\w|://\w|:/|www\.", rendered)


@given(ANY)
def test_markdown_code_cannot_be_left(text: str) -> None:
    """The fence is longer than every run of backticks inside."""
    safe = escape.for_markdown_code(text)
    fence = safe.split(" ", 1)[0]
    assert safe == f"{fence} {escape.for_terminal(text)} {fence}"
    assert set(fence) == {"`"}
    assert fence not in escape.for_terminal(text)


@given(ANY)
def test_xml_text_survives_a_parser(text: str) -> None:
    """A document with the text in an attribute and in an element is well-formed and says the same."""
    safe = escape.for_xml(text)
    node = ET.Element("case", name=safe)
    node.text = safe
    read = ET.fromstring(ET.tostring(node, encoding="unicode"))
    assert (read.get("name"), read.text or "") == (safe, safe)


@given(ANY)
def test_slug_is_safe_in_a_path(text: str) -> None:
    """Nothing but letters, digits, ``_`` and ``-``; never empty, never long."""
    assert re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,58}[a-z0-9_])?", escape.slug(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("../../etc/passwd", "etc-passwd", id="no way up"),
        pytest.param("GET /items/{id}", "get-items-id", id="an endpoint"),
        pytest.param("漢字", "unnamed", id="nothing left"),
    ],
)
def test_slug(text: str, expected: str) -> None:
    """Anything but letters and digits becomes one dash."""
    assert escape.slug(text) == expected
