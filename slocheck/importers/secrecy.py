"""The parts of a request that may hold a credential: they are left out, never copied."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from slocheck.documents.secret_names import is_secret_name, pairs_of, words_of

KEPT_HEADERS = frozenset({"accept", "accept-language", "content-type"})
"""Headers that are copied from a recorded request; any other may hold a credential."""

_TRANSPORT = frozenset(
    ("host", "connection", "content-length", "accept-encoding", "te", "transfer-encoding", "expect")
)
"""Headers that every client writes itself."""
_BROWSER = frozenset(
    (
        *("user-agent", "referer", "origin", "cache-control", "pragma", "dnt", "priority", "save-data"),
        *("upgrade-insecure-requests", "if-modified-since", "if-none-match", "range", "accept-charset"),
        *("x-requested-with", "device-memory", "viewport-width", "downlink", "rtt", "ect", "purpose"),
    )
)
"""Headers that are not credentials, and not copied either; so are headers that begin with ``sec-``."""
_WORD = re.compile(
    r"sess(ion)?(id)?$|^sid$|^t?otp$|^mfa$|^pin$|^cv[vc]$|^ticket$|^ssn$|^cookies?$|cardnumber"
)
_LAST_WORD = re.compile(r"code$|^sign$")
_VALUE = re.compile(
    r"eyJ[\w-]{8,}\.|\bgh[opsur]_\w{8}|\bgithub_pat_|\bglpat-|\bsk[-_][\w-]{16}|\bxox[a-z]-|\bA[KS]IA[0-9A-Z]{8}"
    r"|\bAIza[\w-]{20}|-----BEGIN |^(?i:bearer|basic|digest|negotiate)\s|//[^/\s@:]+:[^/\s@]+@"
)
_NAME_IN_TEXT = re.compile(r"""(?<![\w.-])([A-Za-z_][\w.-]*+)["'\]]{0,2}\s{0,4}[:=]""")
_NAME = re.compile(r"[A-Za-z_][\w-]*+")
_FORM = re.compile(r"[^\s{}<>\"()]*=[^\s{}<>\"()]*")
_MATRIX = re.compile(r";([^/;=]*)=([^/;]*)")
_PARAMETERS = frozenset({"charset", "boundary"})


def is_secret(name: str, value: str) -> bool:
    """Tell whether a field with this name and value probably holds a secret, or fields that do."""
    if _is_named_secret(name) or _VALUE.search(value) or _VALUE.search(name):
        return True
    if words_of(name)[-1:] == ["tokens"] and not value.isdecimal():
        return True
    return any(is_secret_name(match[1]) for match in _NAME_IN_TEXT.finditer(value))


def _is_named_secret(name: str) -> bool:
    words = words_of(name)
    last = words[-1] if words else ""
    return (
        is_secret_name(name)
        or bool(_LAST_WORD.search(last))
        or any(map(_WORD.search, (*words, *pairs_of(words))))
    )


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers of a request.

    Attributes:
        kept: Those that are copied.
        others: Names of those that are not copied, and are not credentials.
        credentials: Whether there were others that may be.
    """

    kept: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    credentials: bool = False


def sorted_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers by whether they can be a credential; those of one name become one."""
    kept: dict[str, str] = {}
    others, credentials = set[str](), False
    for name, value in headers:
        known = name.lower()
        if known in KEPT_HEADERS:
            text, cut = _without_parameters(value) if known == "content-type" else (value, False)
            if cut or not text.isprintable() or is_secret("", text):
                credentials = True
            if text and text.isprintable() and not is_secret("", text):
                written = known.title()
                again = written in kept and known != "content-type" and kept[written] != text
                kept[written] = f"{kept[written]}, {text}" if again else text
        elif known in _BROWSER or known.startswith("sec-"):
            others.add(known.title())
        elif known not in _TRANSPORT and not known.startswith(":"):
            credentials = True
    return Headers(kept, frozenset(others), credentials)


def _without_parameters(value: str) -> tuple[str, bool]:
    """Return a media type with those of its parameters that are known, and whether another was there."""
    kind, *parameters = (part.strip() for part in value.split(";"))
    known = [part for part in parameters if part.partition("=")[0].strip().lower() in _PARAMETERS]
    return "; ".join((kind, *known)), len(known) < len([part for part in parameters if part])


def without_secrets(url: str) -> tuple[SplitResult, bool]:
    """Return an address without user, fragment and secret parameters, and whether any of it was one.

    Raises:
        ValueError: It is not an address.
    """
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not is_secret(name, value)]
    query = parts.query if len(kept) == len(pairs) else urlencode(kept)
    host = parts.netloc.rpartition("@")[2]
    path = _MATRIX.sub(lambda match: "" if is_secret(match[1], unquote(match[2])) else match[0], parts.path)
    cleaned = parts._replace(netloc=host, path=path, query=query, fragment="")
    return cleaned, len(kept) < len(pairs) or host != parts.netloc or path != parts.path


def path_has_secret(path: str) -> bool:
    """Tell whether a path has a segment that is probably a credential, such as a JSON web token."""
    return any(is_secret("", unquote(segment)) for segment in path.split("/"))


def body_has_secret(body: str) -> bool:
    """Tell whether a body probably has a secret: a field of it or, if it is odd, any word in it."""
    try:
        return any(is_secret(name, value) for name, value in _fields(json.loads(body)))
    except RecursionError:
        return True
    except ValueError:
        pass
    if _FORM.fullmatch(body):
        return any(is_secret(name, value) for name, value in parse_qsl(body, keep_blank_values=True))
    return bool(_VALUE.search(body)) or any(map(_is_named_secret, set(_NAME.findall(body))))


def _fields(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            if "value" in value:
                named = value.get("name", value.get("key", ""))
                yield str(named), str(value["value"])
            for key, inner in value.items():
                yield from _fields(inner, str(key))
            if not value:
                yield name, ""
        case list():
            for inner in value:
                yield from _fields(inner, name)
        case _:
            yield name, str(value)
