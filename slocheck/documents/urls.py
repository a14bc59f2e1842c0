"""Addresses: checked, free of secrets, with ``${NAME}`` expanded from the environment."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlsplit

from slocheck.documents.reader import InvalidValue, Value, ValueType
from slocheck.documents.secret_names import is_secret_name
from slocheck.documents.units import shown
from slocheck.documents.yaml_tree import ScalarNode, SequenceNode

_VARIABLE = re.compile(r"\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADDRESS = re.compile(r"[!-\[\]-~]+")  # printable ASCII without the backslash
_HOST = re.compile(r"[^/?#]*//[^/?#]*[/?#]")
_ADDRESSEE = re.compile(r"(\$\{[^}]*\}|https?://\$\{[^}]*\}(:[0-9]*)?)(?=[/?#]|$)")
"""A variable that is the beginning of an address, or all of its host."""
_EXAMPLE = "write one such as http://127.0.0.1:8000"


def check_url(url: str, *, page: bool = False) -> str:
    """Return `url` if it can be used; raises InvalidValue, whose message never shows a secret.

    Args:
        url: An http or https address; a path prefix may be part of it.
        page: Whether it is the address of one page, returned as written, with its query and its trailing
            slash. Else it is the base of other addresses, returned without a trailing slash.
    """
    parts, port = _split(url)
    found = _found(url)
    if parts.scheme not in ("http", "https"):
        raise InvalidValue(f"{found} does not begin with http:// or https://; {_EXAMPLE}")
    if "@" in parts.netloc:
        raise InvalidValue(
            "has a name or password before the host; remove it: a spec holds no secrets, only where they are"
        )
    if not parts.hostname or port == 0:
        raise InvalidValue(f"{found} has no host, or port 0; {_EXAMPLE}")
    if parts.fragment or (parts.query and not page):
        raise InvalidValue(f"{found} has a query or fragment; write only the base address")
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if is_secret_name(name):
            raise InvalidValue(f"carries a secret in the query parameter {shown(name)}; remove it")
    return url if page else url.rstrip("/")


def _split(url: str) -> tuple[SplitResult, int | None]:
    if not _ADDRESS.fullmatch(url):
        raise InvalidValue(
            f"{_found(url)} is not an address: it is empty or has characters outside ASCII; {_EXAMPLE}"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidValue(f"{_found(url)} is not an address: wrong port or brackets; {_EXAMPLE}") from error
    return parts, port


def _found(url: str) -> str:
    """Return what may be shown of an address: nothing with an ``@``, no query."""
    return "the address" if "@" in url else shown(re.split(r"[?#]", url, maxsplit=1)[0])


def _expand(written: str, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """Replace each ``${NAME}``; return the address, and the values behind its host: they may be secrets.

    Raises:
        InvalidValue: What is written is not a variable, or one that is not set.
    """
    address, behind_host, at = "", [], 0
    for match in _VARIABLE.finditer(written):
        address += written[at : match.start()]
        value, at = _value_of(match, environment), match.end()
        if _HOST.match(address):
            behind_host.append(value)
        address += value
    return address + written[at:], behind_host


def _value_of(variable: re.Match[str], environment: Mapping[str, str]) -> str:
    name = variable[1]
    if not variable[0].endswith("}") or not _NAME.fullmatch(name):
        raise InvalidValue(f"{shown(variable[0])} is not a variable; write ${{NAME}}")
    if name not in environment:
        raise InvalidValue(f"the environment variable {name} is not set; set it, or write the address")
    return environment[name]


def _reader(*, page: bool) -> ValueType[str]:
    def read(value: Value) -> str:
        written = value.scalar().text
        environment = value.log.environment
        if "${" not in written:
            return check_url(written, page=page)
        if environment is None:
            return written
        expanded, secrets = _expand(written, environment)
        value.log.secrets += secrets
        try:
            return check_url(expanded, page=page)
        except InvalidValue as error:
            # what a variable holds may be a secret: show the text as written
            raise InvalidValue(f"{shown(written)} does not expand to a usable address; {_EXAMPLE}") from error

    pattern = r"^(https?://[^@\\]+|.*\$\{[A-Za-z_][A-Za-z0-9_]*\}.*)$"
    return ValueType(read, {"type": "string", "pattern": pattern})


BASE_URL = _reader(page=False)
URL = _reader(page=True)


def sends_variables(value: Value | None) -> bool:
    """Tell whether the value of a ``${NAME}`` in an address, or in one of a list, goes to a written host.

    A variable that is the beginning of the address, or all of its host, says itself where requests go.
    """
    match value.node if value else None:
        case ScalarNode(text=text):
            addressee = _ADDRESSEE.match(text)
            return "${" in text[addressee.end() if addressee else 0 :]
        case SequenceNode():
            assert value is not None
            return any(sends_variables(item) for item in value.items())
        case _:
            return False
