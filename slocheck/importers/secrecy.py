"""What of a request may hold a credential: it is left out, never copied."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from slocheck.documents.urls import SECRET_NAME

KEPT_HEADERS = frozenset({"accept", "accept-language", "content-type"})
"""Of a recorded request; any other header may hold a credential."""

_NAME = re.compile(r"(?i)(session|sess|sid|jwt|credential|pwd|otp|pin|csrf|xsrf|bearer|cookie|code)(_?id)?$")
_VALUE = re.compile(r"^(eyJ[\w-]{8,}\.|gh[opsu]_|sk[-_]|AKIA|Bearer\s|Basic\s)")


def is_secret(name: str, value: str) -> bool:
    """Tell whether a field of this name and value probably holds a secret."""
    return bool(SECRET_NAME.search(name) or _NAME.search(name) or _VALUE.search(value))


def kept_headers(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return the headers that cannot be a credential."""
    return {name: value for name, value in headers if name.lower() in KEPT_HEADERS and value.isprintable()}


def without_secrets(url: str) -> tuple[SplitResult, bool]:
    """Return an address without user, fragment and secret parameters, and whether any of it was one."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not is_secret(name, value)]
    query = parts.query if len(kept) == len(pairs) else urlencode(kept)
    host = parts.netloc.rpartition("@")[2]
    cleaned = parts._replace(netloc=host, query=query, fragment="")
    return cleaned, len(kept) < len(pairs) or host != parts.netloc


def body_has_secret(body: str) -> bool:
    """Tell whether a body in JSON or of a form has a field that probably holds a secret."""
    try:
        fields = _fields(json.loads(body))
    except ValueError:
        fields = iter(parse_qsl(body, keep_blank_values=True))
    return any(is_secret(name, value) for name, value in fields)


def _fields(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _fields(inner, str(key))
        case list():
            for inner in value:
                yield from _fields(inner, name)
        case _:
            yield name, str(value)
