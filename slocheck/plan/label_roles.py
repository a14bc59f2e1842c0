"""Finds the labels of a family that hold the method, the route and the status, by names and values."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slocheck.plan.families import Family
from slocheck.spec.status_values import statuses_of

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})

METHOD_NAMES = (
    *("method", "http_method", "http_request_method", "request_method", "verb", "http_verb", "req_method"),
)
ROUTE_NAMES = (
    *("route", "http_route", "url_rule", "path_template", "route_template", "uri_template", "template"),
    *(
        "uri",
        "path",
        "http_path",
        "url_path",
        "request_path",
        "normalized_path",
        "http_target",
        "url",
        "http_url",
    ),
    *("endpoint", "handler", "target", "resource", "operation", "api", "page", "request_uri", "request_url"),
)
STATUS_NAMES = (
    *("status_code", "status", "code", "http_status_code", "http_response_status_code", "http_status"),
    *(
        "response_code",
        "http_code",
        "response_status",
        "response_status_code",
        "statuscode",
        "http_response_code",
    ),
    *("status_class", "code_class", "status_family", "status_text", "outcome", "result"),
)
NAME_LABELS = (
    *("route_name", "url_name", "view", "view_name", "handler", "endpoint", "controller", "action"),
    *("servlet", "operation", "operation_id", "operation_name", "resource"),
)
"""Labels with the name of a route or of what serves it, if no label has a path."""
_PATH_WORDS = frozenset({"route", "path", "uri", "url", "endpoint", "pattern", "template", "rule"})
"""Words in the names of labels that hold a path."""
_NOTHING = frozenset({"none", "null", "undefined", "unknown"})
"""How a missing value is written."""
PLAIN_ROUTES = frozenset({"route", "http_route", "url_rule", "path_template", "route_template"})
"""Names that only routes have, so that their values need not look like a path."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Labels by what they hold; None if no label holds it.

    Attributes:
        method: The HTTP method.
        route: The path, declared or requested, or else a name for it.
        status: The HTTP status.
        is_path: Whether the route is a path.
        is_exact: Whether the status is a code, not a group of them.
    """

    method: str | None = None
    route: str | None = None
    status: str | None = None
    is_path: bool = True
    is_exact: bool = False

    @property
    def count(self) -> int:
        """The number of labels found, without a route that is a mere name."""
        route = self.route if self.is_path else None
        return sum(label is not None for label in (self.method, route, self.status))


def roles_of(family: Family) -> Roles:
    """Return which labels of a family hold the method, the route and the status."""
    code = _label(family, STATUS_NAMES, _is_code)
    path = _label(family, ROUTE_NAMES, _is_route) or _path_label(family)
    return Roles(
        method=_label(family, METHOD_NAMES, lambda _, value: value.upper() in _METHODS),
        route=path or _label(family, NAME_LABELS, lambda _, value: value.lower() not in _NOTHING),
        status=code or _label(family, STATUS_NAMES, _is_status),
        is_path=path is not None,
        is_exact=code is not None,
    )


def _is_code(_: str, value: str) -> bool:
    return any(status.isdigit() for status in statuses_of(value))


def _is_status(_: str, value: str) -> bool:
    return bool(statuses_of(value))


def _is_route(name: str, value: str) -> bool:
    return (name in PLAIN_ROUTES and value.lower() not in _NOTHING) or ("/" in value and "://" not in value)


def _path_label(family: Family) -> str | None:
    """Return the only label with a word for paths in its name and a path among its values."""
    found = [
        label
        for label in family.own_labels
        if _PATH_WORDS & set(normal(label).split("_"))
        and any(value.startswith("/") for value in family.values(label))
    ]
    return found[0] if len(found) == 1 else None


def _label(family: Family, names: Sequence[str], fits: Callable[[str, str], bool]) -> str | None:
    """Return the label with the first of the names of which any value fits."""
    plain = {label: normal(label) for label in family.own_labels}
    for name in names:
        for label, spelled in plain.items():
            if spelled == name and any(fits(name, value) for value in family.values(label)):
                return label
    return None


def normal(label: str) -> str:
    """Return a label's name without dots, capitals and the prefix that Prometheus adds in a conflict."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", label)
    return spaced.lower().replace(".", "_").removeprefix("exported_")
