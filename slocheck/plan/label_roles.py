"""Finds the labels of a family that hold the method, the route and the status, by names and values."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slocheck.plan.families import Family

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_STATUS = re.compile(r"[0-9](\d\d|xx|XX)")

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
    *("status_class", "code_class", "status_family"),
)
PLAIN_ROUTES = frozenset({"route", "http_route", "url_rule", "path_template", "route_template"})
"""Names that only routes have, so that their values need not look like a path."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Labels by what they hold; None if no label holds it."""

    method: str | None = None
    route: str | None = None
    status: str | None = None

    @property
    def count(self) -> int:
        """The number of labels found."""
        return sum(label is not None for label in (self.method, self.route, self.status))


def roles_of(family: Family) -> Roles:
    """Return which labels of a family hold the method, the route and the status."""
    return Roles(
        method=_label(family, METHOD_NAMES, lambda _, value: value.upper() in _METHODS),
        route=_label(family, ROUTE_NAMES, _is_route),
        status=_label(family, STATUS_NAMES, lambda _, value: _STATUS.fullmatch(value) is not None),
    )


def _is_route(name: str, value: str) -> bool:
    return name in PLAIN_ROUTES or ("/" in value and "://" not in value)


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
