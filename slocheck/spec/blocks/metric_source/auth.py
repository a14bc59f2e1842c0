"""The keys of slo.yaml for credentials: where to find them, never their values."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.http import TOKEN_CHARACTER
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.spec.model import Auth

HEADER_PATTERN = f"{TOKEN_CHARACTER}{{1,100}}"
VARIABLE_PATTERN = "[A-Za-z_][A-Za-z0-9_]*"

_PATH: ValueType[str | None] = types.text()
_VARIABLE: ValueType[str | None] = types.text(
    pattern=VARIABLE_PATTERN, what="environment variable", example="PROMETHEUS_TOKEN"
)

TOKEN_FILE = Key("bearer_token_file", _PATH, None, "file with the bearer token")
TOKEN_ENV = Key("bearer_token_env", _VARIABLE, None, "environment variable with the bearer token")
USERNAME: Key[str | None] = Key("username", types.text(), None, "for basic authentication")
PASSWORD_FILE = Key("password_file", _PATH, None, "file with the password")
PASSWORD_ENV = Key("password_env", _VARIABLE, None, "environment variable with the password")
HEADERS_ENV: Key[dict[str, str]] = Key(
    "headers_env",
    types.map_of(
        HEADER_PATTERN,
        "header name",
        values=types.text(pattern=VARIABLE_PATTERN, what="environment variable", example="API_KEY"),
    ),
    {},
    "header to the environment variable with its value",
)
AUTH_KEYS: tuple[Key[Any], ...] = (
    TOKEN_FILE,
    TOKEN_ENV,
    USERNAME,
    PASSWORD_FILE,
    PASSWORD_ENV,
    HEADERS_ENV,
)
_REMEDY = "is a secret in the spec; write {0}_file: FILE or {0}_env: VARIABLE instead"
INLINE_SECRETS = {
    "bearer_token": _REMEDY.format("bearer_token"),
    "token": _REMEDY.format("bearer_token"),
    "password": _REMEDY.format("password"),
    "headers": "would hold a secret in the spec; write headers_env: {NAME: VARIABLE} instead",
}

INLINE_AUTH = dict.fromkeys(
    ("password", "bearer_token"),
    "would put a secret in the spec; write it under auth: as a file or a variable",
)
"""Keys that may not be in the block around ``auth``."""


def _read_auth(value: Value) -> Auth:
    section = Section(value, AUTH_KEYS, refused=INLINE_SECRETS)
    token = [key.name for key in (TOKEN_FILE, TOKEN_ENV) if section.has(key)]
    password = [key.name for key in (PASSWORD_FILE, PASSWORD_ENV) if section.has(key)]
    for names in (token, password):
        if len(names) > 1:
            value.refuse(f"has both {names[0]} and {names[1]}; keep one")
    if token and (password or section.has(USERNAME)):
        value.refuse("has a bearer token and a username or password; keep one of the two")
    elif section.has(USERNAME) != bool(password):
        value.refuse("needs username and one of password_file and password_env together; write both")
    return Auth(
        bearer_token_file=section.get(TOKEN_FILE),
        bearer_token_env=section.get(TOKEN_ENV),
        username=section.get(USERNAME),
        password_file=section.get(PASSWORD_FILE),
        password_env=section.get(PASSWORD_ENV),
        headers_env=section.get(HEADERS_ENV),
    )


AUTH = Key("auth", ValueType(_read_auth, object_schema(AUTH_KEYS)), Auth(), "where the credentials are")
