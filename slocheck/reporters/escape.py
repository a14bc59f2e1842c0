"""Foreign text made safe for where it is shown: one function for each sink.

Endpoint names, error messages, labels, queries and the text of slo.yaml are foreign. `clean`
removes what no sink may carry; each sink's function escapes what that sink would misread.
"""

import html
import json
import re
import unicodedata

REPLACEMENT = "\ufffd"
SLUG_LENGTH = 60
_ATTACHMENT = "[[ATTACHMENT|"

# CSI, OSC and the other string sequences (ended by BEL or ST), then the two-character ones
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)
_NONCHARACTER = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")
_SPACES = frozenset("\t\n\v\f\r\x85")
_COMMAND_START = re.compile(
    r"^\s*::+|::+(?=(?:error|warning|notice|debug|echo|add-mask|add-path|set-env|set-output|save-state|stop-commands|"
    r"(?:end)?group|(?:add|remove)-matcher)\b)",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"##(?=\w*\[)")
_FORMULA = re.compile("(^|;)(?=\\s*[=+\\-@|%\uff1d\uff0b\uff0d\uff20])")
_MARKDOWN_SYNTAX = re.compile(r"([\\`*_{}\[\]()#+\-.!|~^$])")
_MARKDOWN_REFERENCE = re.compile(r"([@#!~%$&^:])(?=[\w/\"])")
_MARKDOWN_WWW = re.compile(r"(www)(?=\.)", re.IGNORECASE)


def clean(text: str) -> str:
    """Return `text` on one line without control characters, terminal sequences and invisible marks.

    All format characters are removed: bidi marks reorder the text, zero-width ones hide in it.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, _NONCHARACTER.sub(REPLACEMENT, _ANSI.sub("", text))))


def _visible(character: str) -> str:
    """Return the clean form of one character: itself, a space, a replacement or nothing."""
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


def for_terminal(text: str) -> str:
    """Return `text` for a terminal or a CI log; put it into a `rich.text.Text`, never into markup.

    A CI runner reads a line that begins with ``::`` as a command (known ones are broken wherever they
    are, as another program may wrap the line), and ``##[``, ``##vso[`` or ``##teamcity[`` anywhere in a line.
    """
    return _COMMAND.sub("# #", _COMMAND_START.sub(": :", clean(text)))


def for_terminal_lines(text: str) -> str:
    """Return a text of several lines, such as an error's message, for a terminal or a CI log."""
    return "\n".join(for_terminal(line) for line in text.split("\n"))


def for_html(text: str) -> str:
    """Return `text` as HTML character data or as the inside of a quoted attribute."""
    return _COMMAND.sub("&#35;#", html.escape(clean(text), quote=True))


def for_json(value: object, *, indent: int | None = None) -> str:
    """Return `value` as JSON in ASCII that a CI log may show, too; ValueError for NaN and infinity."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, allow_nan=False, separators=separators, indent=indent)
    return _COMMAND.sub(r"\\u0023#", text)


def for_script_json(value: object) -> str:
    """Return `value` as JSON that is safe inside a script element; ValueError for NaN and infinity."""
    text = for_json(value)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def for_markdown(text: str) -> str:
    """Return `text` as plain Markdown text, also for a table cell.

    A zero-width space after ``@``, ``#``, ``://`` etc. keeps a code host from turning them into mentions,
    references and links; a backslash alone does not, because code hosts look for them in the
    rendered text.
    """
    text = _MARKDOWN_REFERENCE.sub("\\1\u200b", clean(text))
    text = _MARKDOWN_WWW.sub("\\1\u200b", text)
    text = html.escape(text, quote=False)
    text = re.sub(r"&(?!(?:amp|lt|gt);)", "&amp;", text)
    return _MARKDOWN_SYNTAX.sub(r"\\\1", text).replace("\u200b", "&#8203;")


def for_markdown_code(text: str) -> str:
    """Return `text` as a Markdown code span, fenced by more backticks than it contains; not for tables."""
    text = for_terminal(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}"


def for_xml(text: str) -> str:
    """Return `text` without the characters that XML 1.0 forbids; the XML writer escapes the rest.

    Programs that read JUnit files print their texts into CI logs; Jenkins and GitLab attach the file that
    ``[[ATTACHMENT|path]]`` names.
    """
    return for_terminal(text).replace(_ATTACHMENT, "[ [ATTACHMENT|")


def for_openmetrics(text: str) -> str:
    r"""Return `text` as the inside of a label's value, or as a help text.

    GitLab cuts a line at any ``#``, and refuses the whole file for an unclosed quote.
    """
    plain = for_terminal(text).replace("#", "%23")
    return plain.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def for_csv(text: str) -> str:
    """Return `text` as a cell that no spreadsheet treats as a formula; the CSV writer quotes it.

    A spreadsheet that splits at semicolons sees a new cell after each.
    """
    return _FORMULA.sub(r"\1'", for_terminal(text))


def slug(text: str) -> str:
    """Return `text` as a name that is safe in a path and as an HTML id: ``a-z 0-9 _ -``, never empty."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-") or "unnamed"
