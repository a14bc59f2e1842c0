"""The words of a command as a POSIX shell, or bash, reads them."""

import re
from dataclasses import dataclass

_PART = re.compile(
    r"""\$'(?P<ansi>(?:[^'\\]|\\.)*+)'|'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*+)"|\\(?P<escaped>.)"""
    r"""|(?P<blank>\s+)|(?P<operator>(?:[|;<>]|(?<!\S)(?:&|[0-9&]>)).*)|(?P<plain>\$?[^\s'"\\$|;<>]+|\$)""",
    re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL
)
_NAMED = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}
_IN_DOUBLE = re.compile(r'\\([$`"\\])')
_VARIABLE = re.compile(r"(?<!\\)(\$[A-Za-z_{(]|`)")


@dataclass(slots=True)
class ShellLine:
    """A line of a shell.

    Attributes:
        words: Of its first command, without quotes.
        variables: Those of the words that hold a variable, or the output of a command.
        more: Whether something follows the command: a pipe, a redirection, another command.
    """

    words: list[str]
    variables: set[str]
    more: bool = False


def split_line(text: str) -> ShellLine:
    """Split a line of a shell; raises ValueError if a quote is not closed or an escape is impossible."""
    line, word, variable, at = ShellLine([], set()), None, False, 0
    text = text.replace("\\\r\n", " ").replace("\\\n", " ")
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            raise ValueError("No closing quotation")
        at = part.end()
        kind, found = part.lastgroup, part[part.lastgroup or 0]
        if kind == "operator":
            line.more = True
            break
        if kind == "blank":
            _add(line, word, variable=variable)
            word, variable = None, False
            continue
        variable = variable or (kind in ("double", "plain") and bool(_VARIABLE.search(found)))
        word = (word or "") + _unquoted(kind or "", found)
    _add(line, word, variable=variable)
    return line


def _add(line: ShellLine, word: str | None, *, variable: bool) -> None:
    if word is not None:
        line.words.append(word)
        if variable:
            line.variables.add(word)


def _unquoted(kind: str, text: str) -> str:
    if kind == "ansi":
        return _ESCAPE.sub(_escaped, text)
    return _IN_DOUBLE.sub(r"\1", text) if kind == "double" else text


def _escaped(match: re.Match[str]) -> str:
    for digits, base in ((match[1], 16), (match[2], 16), (match[3], 16), (match[4], 8)):
        if digits:
            return chr(int(digits, base))
    return _NAMED.get(match[5], match[5] if match[5] in "\\'\"?" else f"\\{match[5]}")
