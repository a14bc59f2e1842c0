"""Finds the route of an endpoint in a service's metrics, as each library writes paths in its own way."""

import re
from collections.abc import Iterable

from slocheck.promql.routes import ANY_PART, route_matches

_PARAMETER = re.compile(r"\((?:\?P?<[^>]*>|\?:)?[^()]*\)|\{[^{}]*\}|<[^<>]*>|\[[^\[\]]*\]|%[sd]")
"""``(?P<id>[0-9]+)``, ``([0-9]+)``, ``{id}``, ``<int:id>``, ``[id]`` and ``%s``, or a piece of a segment."""
_WHOLE_PARAMETER = re.compile(r"[:#$][A-Za-z_].*|\*\w*")
"""``:id``, ``#val``, ``$id`` and ``*``, which are a whole path segment."""


def same_route(name: str, seen: Iterable[str], *, base_path: str = "") -> str | None:
    """Return an endpoint's route as the service's metrics write it; None if they have none for it.

    Slashes at either end, the target's base path and the form of parameters may differ: ``/orders/{id}`` is
    ``/orders/<int:order>``. If the metrics have the requested paths instead of routes, the result is a
    pattern of all paths with a digit in place of each parameter: ``/orders/*``.

    Args:
        name: The endpoint's name, without the method.
        seen: Values of the label that holds the route.
        base_path: Path of the target's address.
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
    """Return a route with one mark for each parameter, whatever its name and form."""
    parts = _PARAMETER.sub(ANY_PART, route.removeprefix("^").removesuffix("$")).strip("/").split("/")
    return "/".join(ANY_PART if _WHOLE_PARAMETER.fullmatch(part) else part for part in parts)


def _is_asked_path(pattern: str, route: str) -> bool:
    """Tell whether a route is a requested path: a value with a digit in place of each parameter."""
    if not route_matches(pattern, route):
        return False
    pairs = zip(pattern.split("/"), route.split("/"), strict=True)
    return all(any(map(str.isdigit, part)) for sign, part in pairs if sign == ANY_PART)
