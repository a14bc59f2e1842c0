"""Reads credentials from where the spec says they are kept; no message ever shows their values."""

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from slocheck.errors import UsageError
from slocheck.masking import secret_in
from slocheck.spec.model import Auth

LINE_BREAK = re.compile(r"[\r\n\0]")

BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request must carry.

    Attributes:
        headers: Header name to value, including the bearer token.
        basic: User name and password; None without basic authentication.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def request_headers(self) -> Mapping[str, str]:
        """All headers to send, including basic authentication."""
        if self.basic is None:
            return self.headers
        pair = b64encode(":".join(self.basic).encode()).decode()
        return {**self.headers, "Authorization": f"Basic {pair}"}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no message may show."""
        values = [value.removeprefix(BEARER) for value in self.headers.values()]
        return (*values, *(self.basic[1:] if self.basic else ()))


def read_credentials(auth: Auth, *, where: str) -> Credentials:
    """Read every credential that `auth` points at.

    Args:
        auth: Where they are kept.
        where: The spec's key path, for messages.

    Raises:
        UsageError: A file cannot be read, a variable is not set, or a value has line breaks.
    """
    headers = {
        name: _variable(variable, f"{where}.headers_env.{name}")
        for name, variable in auth.headers_env.items()
    }
    token = _secret(auth.bearer_token_file, auth.bearer_token_env, f"{where}.bearer_token")
    if token is not None:
        headers["Authorization"] = BEARER + token
    if auth.username is None:
        return Credentials(headers)
    password = _secret(auth.password_file, auth.password_env, f"{where}.password")
    return Credentials(headers, (auth.username, password or ""))


def _secret(file: str | None, variable: str | None, where: str) -> str | None:
    if file:
        return _file(file, f"{where}_file")
    return _variable(variable, f"{where}_env") if variable else None


def _file(path: str, where: str) -> str:
    try:
        text = secret_in(path)
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"{where}: {path}: {cause}; name a file that holds only the secret") from None
    return _usable(text, f"{where}: {path}")


def _variable(name: str, where: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise UsageError(f"{where}: the environment variable {name} is not set; export it before the run")
    return _usable(value.strip(), f"{where}: the environment variable {name}")


def _usable(value: str, where: str) -> str:
    if not value:
        raise UsageError(f"{where} is empty; it must hold the secret")
    if LINE_BREAK.search(value):
        raise UsageError(f"{where} has more than one line; it must hold only the secret")
    return value
