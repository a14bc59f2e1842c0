"""Secrets never show: known values are masked in every text that is shown, URLs are stripped."""

import base64
import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, quote_plus

from slocheck.documents.texts import ELLIPSIS, each_text
from slocheck.errors import SlocheckError, SpecError
from slocheck.named_files import read_named

if TYPE_CHECKING:  # the first line of a run passes through here, so few modules are loaded
    from slocheck.spec.model import Spec

T = TypeVar("T")

MASK = "***"
_SECRET_NAME = re.compile(r"pass|secret|token|credential|auth|\bkey\b", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(
    r"passw(or)?d|passphrase|passcode|secret|token|credential|bearer|jwt|api_?key|._pwd(_|$)"
    r"|(^|_)(auth|authorization|key|keys|pass|creds|cookie)(_|$)",
    re.IGNORECASE,
)
_NOT_ITSELF_SECRET = re.compile(
    r"_(file|path|dir|sock|socket|url|uri|host|port|type|method|enabled|ttl|timeout|expiry|expires|length|parallelism)$",
    re.IGNORECASE,
)
"""Endings of names of variables that are about a secret but do not hold one."""
_PASSWORD_IN_ADDRESS = re.compile(r"//[^/\s?#@:]*:([^/\s?#]*)@")
_SHORTEST_NAMED_SECRET = 6
"""Shorter values of variables are ordinary words; `secrets` of the spec lists those that are secret."""
SHORTEST_SECRET = 4
"""Masking shorter values would hide half of every report and protect nothing."""
_MARKS = frozenset("?#@")
_USER_INFO = re.compile(r"^((?:[A-Za-z][A-Za-z0-9+.-]*:)?//)[^/]*@")
_USER_INFO_IN_TEXT = re.compile(r"//[^/\s?#]*@")
_QUERY_IN_TEXT = re.compile(r"\?([^\s\"<>]+)")
SHORTEST_BASE64 = 5
"""Fewer characters of base64 may be a word."""
BYTES = 0x100
_CHARACTERS = re.compile(r"""\\+|'+|"+|[^\\'"]""", re.DOTALL)
"""The characters of a secret. A run of those that escapes double is one: what it becomes has no bounds."""
_NAMES = {"&": ("amp",), "<": ("lt",), ">": ("gt",), '"': ("quot",), "'": ("apos",)}
_SHORT = {" ": (r"\+",), "\t": (r"\\*+t",), "\xa0": (r"\\*+_",)}
"""Short forms of single characters: in a form, in JSON, in YAML."""
_LARGEST_SECRET = 1 << 16
_SHORTEST_BEGINNING = 3
"""Fewer characters of a secret, before a cut, give nothing away."""
_HIDDEN = "__slocheck_hidden__"
"""The attribute under which an exception has the secrets that may be in its text."""
_BYTES = "surrogateescape"
"""How bytes of the environment that are not UTF-8 are kept in a text."""
_FOR_URLS = str.maketrans("+/", "-_")
_BASE64_SIGNS = {"+": r"(?:\+|-|%2[Bb])", "/": "(?:/|_|%2[Ff])"}


def mask(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret in `text`, in whatever encoding.

    The forms: as it is; with all or some of its characters percent-encoded, escaped by backslashes (JSON,
    YAML, Python), doubled (a quote in YAML), or as character references (HTML, XML); in base64, also within
    that of a longer text, such as the name and password of basic authentication; in hexadecimal. Each line of
    a secret of several lines is one, and so is the beginning of a secret where a text was cut.
    """
    known = tuple(secrets)
    pattern = _pattern(known)
    if pattern is None:
        return text
    shown = pattern.sub(MASK, text)
    return _without_beginnings(shown, known) if ELLIPSIS in shown else shown


def masked(value: T, secrets: Sequence[str]) -> T:
    """Return a report, or evidence, with the secrets masked in each of its texts.

    This comes before any sink's escapes, which would disguise a secret. Counts and samples are left
    alone: they are most of a report's size and hold no free text. In the values of labels the addresses lose
    the values of their queries, too; those that become the same are numbered, so that series stay apart.
    """
    from slocheck.evidence.columns import Columns  # noqa: PLC0415 - a run's first line needs no numpy
    from slocheck.evidence.series import RawSeries  # noqa: PLC0415 - as above

    numbers: dict[str, dict[str, int]] = {}

    def label(text: str) -> str:
        shown = mask(mask_urls(text), secrets)
        if shown == text:
            return text
        before = numbers.setdefault(shown, {})
        number = before.setdefault(text, len(before) + 1)
        return f"{shown} ({number})" if number > 1 else shown

    def series(one: RawSeries) -> RawSeries:
        labels = {name: label(text) for name, text in one.labels.items()}
        return one if labels == one.labels else replace(one, labels=labels)

    return each_text(
        value, lambda text: mask(text, secrets), untouched=(Columns,), instead={RawSeries: series}
    )


@lru_cache(maxsize=16)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern that finds any form of any secret; if several begin, the longest secret's."""
    forms = [_any_form(secret) for secret in sorted(_parts(secrets), key=len, reverse=True)]
    return re.compile("|".join(forms)) if forms else None


def _parts(secrets: Iterable[str]) -> set[str]:
    """Return the secrets, and the lines of those that have several: a log shows them one by one."""
    lines = {line.strip() for secret in secrets for line in secret.splitlines() if line != secret}
    return {secret for secret in secrets if len(secret) >= SHORTEST_SECRET} | set(filter(_is_long, lines))


def _without_beginnings(text: str, secrets: tuple[str, ...]) -> str:
    """Mask what a cut has left of a secret, just before an ellipsis."""
    *heads, last = text.split(ELLIPSIS)
    forms = _written_forms(secrets)
    return ELLIPSIS.join([*(_without_end(head, forms) for head in heads), last])


def _without_end(text: str, forms: Iterable[str]) -> str:
    """Mask the longest end of a text that one of these texts begins with."""
    sizes = (
        size
        for form in forms
        for size in range(_SHORTEST_BEGINNING, min(len(form), len(text)) + 1)
        if text.endswith(form[:size])
    )
    longest = max(sizes, default=0)
    return f"{text[: len(text) - longest]}{MASK}" if longest else text


@lru_cache(maxsize=16)
def _written_forms(secrets: tuple[str, ...]) -> frozenset[str]:
    """Return how secrets are usually written."""
    found: set[str] = set()
    for secret in _parts(secrets):
        raw = secret.encode("utf-8", _BYTES)
        plain = (secret, _latin_1(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1], html.escape(secret))
        cores = tuple(_base64_cores(secret))
        for_urls = (quote(raw, safe=""), quote(raw), quote_plus(raw))
        found.update(
            plain, for_urls, cores, (core.translate(_FOR_URLS) for core in cores), [_hexadecimal(secret)]
        )
    return frozenset(found)


def _any_form(secret: str) -> str:
    """Return a regular expression for all forms of a secret; their first characters are searched first."""
    cores = "".join(core[0] for core in _base64_cores(secret))
    digit = _hexadecimal(secret)[0]
    first = {secret[0], _latin_1(secret)[0], digit, digit.upper(), *cores, *"\\&%+-_"}
    return f"(?=[{''.join(map(re.escape, sorted(first)))}])(?:{'|'.join(_forms(secret))})"


def _forms(secret: str) -> Iterator[str]:
    """Yield regular expressions for all forms of a secret."""
    yield "".join(_character_forms(part) for part in _CHARACTERS.findall(secret))
    yield re.escape(secret)
    yield re.escape(_latin_1(secret))
    yield from (re.escape(quote(quote(secret, safe, errors=_BYTES), "")) for safe in ("", "/"))
    yield f"(?i:{_hexadecimal(secret)})"
    yield from ("".join(_BASE64_SIGNS.get(sign, sign) for sign in core) for core in _base64_cores(secret))


def _hexadecimal(secret: str) -> str:
    return secret.encode("utf-8", _BYTES).hex()


def _latin_1(secret: str) -> str:
    """Return a secret as header fields are read."""
    return secret.encode("utf-8", _BYTES).decode("latin-1")


def _base64_cores(secret: str) -> Iterator[str]:
    """Yield the base64 characters that depend on a secret alone, whatever comes before and after it."""
    raw = secret.encode("utf-8", _BYTES)
    for before in range(3):
        signs = base64.b64encode(bytes(before) + raw).decode()
        core = signs[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        if len(core) >= SHORTEST_BASE64:
            yield core


def _character_forms(part: str) -> str:
    """Return a regular expression for the forms of one character, or of a run of quotes or backslashes.

    It takes all that it can and gives nothing back, so that no text takes long to search. The backslash of an
    escape may have gone to a run before it.
    """
    character, code = part[0], ord(part[0])
    references = [f"#0*{code}", f"#[xX]0*(?i:{code:x})", *_NAMES.get(character, ())]
    forms = [f"&(?:{'|'.join(references)});", *_SHORT.get(character, ())]
    with suppress(UnicodeEncodeError):
        forms.append("".join(f"%(?i:{byte:02x})" for byte in character.encode()))
        utf16 = character.encode("utf-16-be").hex()
        forms.append("".join(rf"\\*+u(?i:{utf16[at : at + 4]})" for at in range(0, len(utf16), 4)))
        forms.append(rf"\\*+U(?i:{code:08x})")
        if code < BYTES:
            forms.append(rf"\\*+x(?i:{code:02x})")
    forms.append(r"\\" if character == "\\" else rf"\\*+{re.escape(character)}")
    once = f"(?>{'|'.join(forms)})"
    if character == "\\":
        return f"{once}{{{len(part)},}}+"
    return f"{once}{{{len(part)},{2 * len(part)}}}+" if character in "'\"" else once


def strip_url(url: str) -> str:
    """Return an address, whole or relative, without user info and fragment, each query value masked.

    The keys of the query stay: ``/items?id=7`` becomes ``/items?id=***``. This is also the name of a
    request that a Locust file gives none.
    """
    if not _MARKS & set(url):
        return url
    address, mark, query = url.partition("#")[0].partition("?")
    return _USER_INFO.sub(r"\1", address) + mark + _mask_values(query)


def mask_urls(text: str) -> str:
    """Mask the query values, and leave out the user info, of every address in a text.

    A value ends only at white space, a double quote or an angle bracket, which no address has: what comes
    after it is masked, too, so that no part of the value stays.
    """
    if "@" in text:
        text = _USER_INFO_IN_TEXT.sub("//", text)
    return _QUERY_IN_TEXT.sub(lambda match: f"?{_mask_values(match[1])}", text) if "?" in text else text


def _mask_values(query: str) -> str:
    """Mask the value of each ``key=value``; a key alone stays."""
    keys = (part.partition("=") for part in query.split("&"))
    return "&".join(f"{key}={MASK}" if equals else key for key, equals, _ in keys)


def secrets_of(spec: "Spec") -> tuple[str, ...]:
    """Return the values that must not show, as far as they can be read.

    They are those that the spec has from the environment or from files, those of variables that it lists
    under ``secrets``, and `environment_secrets`.
    """
    from slocheck.spec.model import Auth  # noqa: PLC0415 - as above

    auth = spec.metric_source.auth if spec.metric_source else Auth()
    names = [auth.bearer_token_env, auth.password_env, *auth.headers_env.values()]
    values = [os.environ.get(name, "") for name in names if name]
    values += [_content(path) for path in (auth.bearer_token_file, auth.password_file) if path]
    if auth.username:
        values += [f"{auth.username}:{value}" for value in values if value]
    values += [os.environ.get(name, "").strip() for name in spec.secret_variables]
    options = option_secrets(spec.workload.options)
    found = (*spec.secrets, *options, *values, *environment_secrets())
    return tuple(dict.fromkeys(value for value in found if value))


def environment_secrets() -> tuple[str, ...]:
    """Return the values of the environment that look like secrets: a Locust file may read any of them.

    Those are the values of variables that are named so (``SHOP_TOKEN``), and passwords in addresses; a value
    of less than six characters, such as ``true``, does not count as one.
    """
    found = dict.fromkeys(
        value.strip() for name, value in os.environ.items() if _is_named_secret(name) and _is_long(value)
    )
    passwords = (match[1] for value in os.environ.values() for match in _PASSWORD_IN_ADDRESS.finditer(value))
    return (*found, *filter(_is_long, passwords))


def _is_named_secret(variable: str) -> bool:
    return bool(_SECRET_VARIABLE.search(variable)) and not _NOT_ITSELF_SECRET.search(variable)


def _is_long(value: str) -> bool:
    return len(value.strip()) >= _SHORTEST_NAMED_SECRET


@contextmanager
def errors_masked(secrets: Sequence[str]) -> Iterator[None]:
    """Mask secrets in the message of what slocheck raises on purpose, and keep them with any exception.

    Whoever shows its traceback, which quotes what it was raised from, masks `hidden_in` it.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, SlocheckError):
            error.args = tuple(mask(str(part), secrets) for part in error.args)
        if isinstance(error, SpecError):
            error.problems = each_text(error.problems, lambda text: mask(text, secrets))
        setattr(error, _HIDDEN, (*hidden_in(error), *secrets))
        raise


def hidden_in(error: BaseException | None) -> tuple[str, ...]:
    """Return the secrets that must not show in what is said about an exception."""
    found: tuple[str, ...] = getattr(error, _HIDDEN, ())
    return found


def option_secrets(words: Sequence[str]) -> tuple[str, ...]:
    """Return the values of options whose names say that they are secret: ``--password x``, ``--key=x``."""
    from slocheck.spec.model.workload import LIST_SEPARATOR  # noqa: PLC0415 - as above

    found, name = [], ""
    for word in words:
        option, equals, value = word.partition("=")
        is_option = word.startswith("-")
        if is_option and equals and _SECRET_NAME.search(option):
            found += value.split(LIST_SEPARATOR)
        elif not is_option and _SECRET_NAME.search(name):
            found.append(word)
        name = option if is_option and not equals else ""
    return tuple(value for value in found if value)


def secret_in(path: str) -> str:
    """Return the secret that a file holds, without blanks around it; raises OSError, UnicodeDecodeError."""
    return read_named(path, most=_LARGEST_SECRET).decode().strip()


def _content(path: str) -> str:
    try:
        return secret_in(path)
    except (OSError, UnicodeDecodeError):
        return ""
