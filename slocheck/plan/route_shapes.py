"""Which route of a service's metrics is an endpoint's: each library writes paths in its own way."""

import re
from collections.abc import Iterable

from slocheck.promql.routes import ANY_PART, route_matches

_PARAMETER = re.compile(r"\(\?P?<[^>]*>[^)]*\)|\{[^{}]*\}|<[^<>]*>|\[[^\[\]]*\]")
"""``(?P<id>[0-9]+)``, ``{id}``, ``<int:id>`` and ``[id]``, also as one piece of a path's part."""
_WHOLE_PARAMETER = re.compile(r"[:#$][A-Za-z_].*|\*\w*")
"""``:id``, ``#val``, ``$id`` and ``*``, which are a whole part."""


def same_route(name: str, seen: Iterable[str], *, base_path: str = "") -> str | None:
    """Return the route that stands for an endpoint, as the service's metrics write it; None where none does.

    An endpoint is the same with other slashes at its ends, under the target's base path, and with its
    parameters in another form: ``/orders/{id}`` is ``/orders/<int:order>``. Where the metrics have the
    paths that were asked for, it is all those with a digit in place of each parameter: ``/orders/*``.

    Args:
        name: The endpoint's, without the method.
        seen: Values of the label that holds the route.
        base_path: Of the target's address.
    """
    routes = tuple(seen)
    base = base_path.rstrip("/")
    wanted = (f"{base}/{name.lstrip('/')}", name) if base else (name,)
    for form in (_without_slashes, _shape):
        for one in wanted:
            same = [route for route in routes if form(route) == form(one)]
            if same:
                return same[0] if len(same) == 1 else None
    patterns = (f"/{_shape(one)}" for one in wanted if ANY_PART in _shape(one).split("/"))
    return next((one for one in patterns if any(_is_asked_path(one, route) for route in routes)), None)


def _without_slashes(route: str) -> str:
    return route.strip("/")


def _shape(route: str) -> str:
    """Return a route with one sign for each parameter, whatever its name and form."""
    parts = _PARAMETER.sub(ANY_PART, route.removeprefix("^").removesuffix("$")).strip("/").split("/")
    return "/".join(ANY_PART if _WHOLE_PARAMETER.fullmatch(part) else part for part in parts)


def _is_asked_path(pattern: str, route: str) -> bool:
    """Tell whether a route is a path with values in place of the parameters: each has a digit."""
    if not route_matches(pattern, route):
        return False
    pairs = zip(pattern.split("/"), route.split("/"), strict=True)
    return all(any(map(str.isdigit, part)) for sign, part in pairs if sign == ANY_PART)
