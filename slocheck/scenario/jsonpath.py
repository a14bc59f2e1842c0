"""Places in JSON documents: ``$.orders[0]['unit price']``, a small, exact subset of JSONPath."""

import re
from collections.abc import Callable

from slocheck.documents.reader import InvalidValue
from slocheck.documents.units import shown
from slocheck.scenario.model import JsonPath

PATH_PATTERN = r"\$(\.[A-Za-z_][A-Za-z0-9_-]{0,99}|\['[^'\n]{0,100}'\]|\[(0|-?[1-9][0-9]{0,8})\]){0,30}"
_PATH = re.compile(PATH_PATTERN)
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\['([^'\n]*)'\]|\[(-?[0-9]+)\]")


class NotFoundError(LookupError):
    """The document has no such place."""


def parse_path(text: str) -> JsonPath:
    """Read a path; raises InvalidValue."""
    if not _PATH.fullmatch(text):
        raise InvalidValue(
            f"{shown(text)} is not a JSON path; write one such as $.items[0].id or $['unit price']"
        )
    steps = tuple(
        int(match[3]) if match[3] is not None else match[1] if match[1] is not None else match[2]
        for match in _STEP.finditer(text)
    )
    return JsonPath(steps, text)


def getter(path: JsonPath) -> Callable[[object], object]:
    """Return a function that finds the path's value in a document; it raises NotFoundError."""
    if len(path.steps) == 1 and isinstance(name := path.steps[0], str):
        return _member(name)
    steps = path.steps

    def get(value: object) -> object:
        for step in steps:
            try:
                match value:
                    case dict():
                        value = value[step]
                    case list() if isinstance(step, int):
                        value = value[step]
                    case _:
                        raise NotFoundError
            except (KeyError, IndexError):
                raise NotFoundError from None
        return value

    return get


def _member(name: str) -> Callable[[object], object]:
    """Return the getter of a member of the outermost object, the most frequent case, without a loop."""

    def get(value: object) -> object:
        if type(value) is dict and name in value:
            return value[name]
        raise NotFoundError

    return get
