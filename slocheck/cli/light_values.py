"""Values of options without Typer's converters, which load pydantic: a run's first line waits for them."""

import os
from pathlib import Path
from typing import Any

_UNCHECKED = {
    **dict.fromkeys(("parser", "min", "max", "path_type")),
    **dict.fromkeys(("exists", "resolve_path", "writable"), False),
    **dict.fromkeys(("file_okay", "dir_okay"), True),
}
"""Of a parameter of whose values Typer checks nothing but the type, and whether a path can be read."""

_LONG = 18
"""A number of so many digits is Typer's, which knows how large one may be."""


class NotPlainError(Exception):
    """Typer has to convert a value, or to say what is wrong with it."""


class LightValue:
    """Takes the place of a parameter's converter, and makes that one where it is needed."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value in its type; raises what Typer raises."""
        try:
            return _converted(value, param)
        except NotPlainError:
            param._runtime_param = None  # noqa: SLF001 - where Typer keeps it
            return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def lighten(parameters: list[Any]) -> None:
    """Have Typer convert only what is more than a text, a path that can be read, or a whole number."""
    for parameter in parameters:
        if vars(parameter).get("_runtime_param", True) is None:
            parameter._runtime_param = LightValue()  # noqa: SLF001 - as above


def _converted(value: Any, param: Any) -> Any:
    many = param.multiple or param.nargs == -1
    if value is None:
        return () if many else None
    kind, info = param.type_descriptor.annotation, param.type_descriptor.parameter_info
    if any(getattr(info, name, default) is not default for name, default in _UNCHECKED.items()):
        raise NotPlainError
    if many:
        if kind == list[str] and isinstance(value, list | tuple) and all(type(each) is str for each in value):
            return [*value]
        raise NotPlainError
    if kind is Path and isinstance(value, str | Path) and _can_be_read(value):
        return Path(value)
    if type(value) is kind and kind in (str, int):
        return value
    if kind is int and type(value) is str and value.isascii() and value.isdigit() and len(value) < _LONG:
        return int(value)
    raise NotPlainError


def _can_be_read(path: str | Path) -> bool:
    """Tell whether Typer takes a path: one that is not there is for the command to refuse."""
    try:
        os.stat(path)  # noqa: PTH116 - a text that is not a path either
    except OSError:
        return True
    except ValueError:
        return False
    return os.access(path, os.R_OK)
