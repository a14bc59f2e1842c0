"""Foreign text made safe for where it is shown: one function a sink, all of them here.

Endpoint names, error messages, labels, queries and the words of slo.yaml come from elsewhere. `clean`
takes out what no sink may carry; each sink's function adds what that sink alone would misread.
"""

import html
import json
import re
import unicodedata

REPLACEMENT = "\ufffd"
SLUG_LENGTH = 60

# CSI, OSC and the other string sequences (ended by BEL or ST), then the two-character ones
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)
_NONCHARACTER = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")
_SPACES = frozenset("\t\n\v\f\r\x85")
_COMMAND_START = re.compile(r"^\s*::")
_MARKDOWN_SYNTAX = re.compile(r"([\\`*_{}\[\]()#+\-.!|~^$])")
_MARKDOWN_REFERENCE = re.compile(r"([@#!~%$&^:])(?=[\w/\"])")
_MARKDOWN_WWW = re.compile(r"(www)(?=\.)", re.IGNORECASE)
_FORMULA_START = re.compile(r"^\s*[=+\-@]")


def clean(text: str) -> str:
    """Return `text` on one line without control characters, terminal sequences and invisible marks.

    Format characters go as a whole: bidi marks reorder what is read, zero-width ones hide in it.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, _NONCHARACTER.sub(REPLACEMENT, _ANSI.sub("", text))))


def _visible(character: str) -> str:
    """Return what is left of one character: itself, a space, a replacement or nothing."""
    if character in _SPACES:
        return " "
    match unicodedata.category(character):
        case "Cc" | "Cf":
            return ""
        case "Zl" | "Zp":
            return " "
        case "Cs":
            return REPLACEMENT
        case _:
            return character


def shorten(text: str, limit: int) -> str:
    """Cut `text` to at most `limit` characters, an ellipsis included."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def for_terminal(text: str) -> str:
    """Return `text` for a terminal or a CI log; put it into a `rich.text.Text`, never into markup.

    A CI runner takes a line that begins with ``::`` as a command, and ``##[`` anywhere in it.
    """
    return _COMMAND_START.sub(": :", clean(text)).replace("##[", "## [")


def for_html(text: str) -> str:
    """Return `text` as HTML character data or as the inside of a quoted attribute."""
    return html.escape(clean(text), quote=True)


def for_script_json(value: object) -> str:
    """Return `value` as JSON that may stand inside a script element; ValueError for NaN and infinity."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def for_markdown(text: str) -> str:
    """Return `text` as plain words of Markdown, in a table cell too.

    A zero-width space behind ``@``, ``#``, ``://`` and their like keeps a forge from making mentions,
    references and links of them; a backslash alone does not, because forges look for them in the
    rendered text.
    """
    text = _MARKDOWN_REFERENCE.sub("\\1\u200b", clean(text))
    text = _MARKDOWN_WWW.sub("\\1\u200b", text)
    text = html.escape(text, quote=False)
    text = re.sub(r"&(?!(?:amp|lt|gt);)", "&amp;", text)
    return _MARKDOWN_SYNTAX.sub(r"\\\1", text).replace("\u200b", "&#8203;")


def for_markdown_code(text: str) -> str:
    """Return `text` as a code span of Markdown, fenced by more backticks than it holds; not for tables."""
    text = clean(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}"


def for_xml(text: str) -> str:
    """Return `text` without the characters that XML 1.0 forbids; the writer escapes the rest."""
    return clean(text)


def for_csv(text: str) -> str:
    """Return `text` as one quoted CSV cell that no spreadsheet takes for a formula."""
    text = clean(text)
    guarded = f"'{text}" if _FORMULA_START.match(text) else text
    return '"' + guarded.replace('"', '""') + '"'


def for_workflow_data(text: str) -> str:
    """Return `text` as the message of a GitHub workflow command; its line ends are kept, encoded."""
    lines = "\n".join(clean(line) for line in text.splitlines())
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def for_workflow_property(text: str) -> str:
    """Return `text` as a property's value of a GitHub workflow command."""
    return for_workflow_data(text).replace(":", "%3A").replace(",", "%2C")


def slug(text: str) -> str:
    """Return `text` as a name that is safe in a path and as an HTML id: ``a-z 0-9 _ -``, never empty."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-") or "unnamed"
