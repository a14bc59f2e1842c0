"""The metric source blocks of slo.yaml: ``prometheus`` and ``scrape``, with TLS and credentials."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import shown
from slocheck.documents.yaml_tree import SequenceNode
from slocheck.spec.blocks.preset import DEFAULT_PRESET, LABEL_PATTERN, PRESET, shipped_preset
from slocheck.spec.blocks.related_jobs import RELATED_JOBS_KEYS, read_related_jobs
from slocheck.spec.blocks.urls import BASE_URL, SECRET_NAME, URL
from slocheck.spec.model import Auth, Preset, PrometheusSource, ScrapeSource, Tls

HEADER_PATTERN = "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"
VARIABLE_PATTERN = "[A-Za-z_][A-Za-z0-9_]*"
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})

_PATH: ValueType[str | None] = types.text()
_VARIABLE: ValueType[str | None] = types.text(
    pattern=VARIABLE_PATTERN, what="environment variable", example="PROMETHEUS_TOKEN"
)

CA = Key("ca", _PATH, None, "file with the certificate authority to trust")
CERT = Key("cert", _PATH, None, "file with the client certificate")
CERT_KEY = Key("key", _PATH, None, "file with the client certificate's key")
INSECURE = Key("insecure", types.BOOLEAN, default=False, doc="accept any certificate; every report says so")
TLS_KEYS: tuple[Key[Any], ...] = (CA, CERT, CERT_KEY, INSECURE)


def _read_tls(value: Value) -> Tls:
    section = Section(value, TLS_KEYS)
    tls = Tls(section.get(CA), section.get(CERT), section.get(CERT_KEY), section.get(INSECURE))
    if section.has(CERT_KEY) and not section.has(CERT):
        value.refuse("has a key without a certificate; write cert: FILE")
    if tls.insecure and tls.ca:
        value.refuse("trusts a ca and accepts any certificate; remove ca or insecure")
    return tls


TLS = Key("tls", ValueType(_read_tls, object_schema(TLS_KEYS)), Tls(), "how the certificate is checked")

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


def _plain_map(name_pattern: str, what: str, remedy: str) -> ValueType[dict[str, str]]:
    """Return the type of a mapping of texts whose names must not be those of secrets."""
    inner = types.map_of(name_pattern, what)

    def read(value: Value) -> dict[str, str]:
        for key, child in value.entries():
            if key.text.lower() in _SECRET_HEADERS or SECRET_NAME.search(key.text):
                child.refuse(f"{shown(key.text)} holds a secret; {remedy}")
        return inner.read(value)

    return ValueType(read, inner.schema)


PROMETHEUS_URL = Key(
    "url", BASE_URL, "", "base URL, with its path prefix; ${NAME} is expanded", required=True
)
PRESET_KEY: Key[Preset | None] = Key(
    "preset", PRESET, None, f"name of a shipped preset, or your own metric names; absent: {DEFAULT_PRESET}"
)
SELECTOR: Key[dict[str, str]] = Key(
    "selector",
    types.map_of(LABEL_PATTERN, "label name", at_least=1),
    {},
    "label values that pin the job, such as {job: shop-api}",
    required=True,
)
AUTH = Key("auth", ValueType(_read_auth, object_schema(AUTH_KEYS)), Auth(), "where the credentials are")
HEADERS: Key[dict[str, str]] = Key(
    "headers",
    _plain_map(HEADER_PATTERN, "header name", "write it as auth: {headers_env: {NAME: VARIABLE}}"),
    {},
    "plain extra headers, such as X-Scope-OrgID",
)
PARAMS: Key[dict[str, str]] = Key(
    "params",
    _plain_map("[A-Za-z0-9_.-]{1,100}", "parameter name", "send it as a header by auth: {headers_env: ...}"),
    {},
    "extra query parameters",
)
TIMEOUT = Key("timeout", types.duration("1s", "10m"), 30.0, "for one query, such as 30s")
PROMETHEUS_KEYS: tuple[Key[Any], ...] = (
    PROMETHEUS_URL, PRESET_KEY, SELECTOR, AUTH, HEADERS, PARAMS, TLS, TIMEOUT, *RELATED_JOBS_KEYS,
)  # fmt: skip


def _read_prometheus(value: Value) -> PrometheusSource | None:
    remedy = "would put a secret in the spec; write it under auth: as a file or a variable"
    section = Section(value, PROMETHEUS_KEYS, refused=dict.fromkeys(("password", "bearer_token"), remedy))
    return PrometheusSource(
        url=section.get(PROMETHEUS_URL),
        preset=section.get(PRESET_KEY) or shipped_preset(DEFAULT_PRESET),
        selector=section.get(SELECTOR),
        position=value.position,
        auth=section.get(AUTH),
        headers=section.get(HEADERS),
        params=section.get(PARAMS),
        tls=section.get(TLS),
        timeout=section.get(TIMEOUT),
        related_jobs=read_related_jobs(section),
    )


PROMETHEUS = Key(
    "prometheus",
    ValueType(_read_prometheus, object_schema(PROMETHEUS_KEYS)),
    None,
    "a Prometheus server that scrapes the service",
)

_URLS: ValueType[tuple[str, ...]] = types.list_of(URL, at_least=1)
SCRAPE_URLS: Key[tuple[str, ...]] = Key(
    "urls", _URLS, (), "each replica's metrics page; ${NAME} is expanded", required=True
)
INTERVAL = Key("interval", types.duration("1s", "5s"), 1.0, "between two scrapes, 1s to 5s")
SCRAPE_KEYS: tuple[Key[Any], ...] = (SCRAPE_URLS, PRESET_KEY, INTERVAL, TLS)


def _read_scrape(value: Value) -> ScrapeSource | None:
    if isinstance(value.node, SequenceNode):
        return ScrapeSource(_URLS.read(value), shipped_preset(DEFAULT_PRESET), value.position)
    section = Section(value, SCRAPE_KEYS)
    return ScrapeSource(
        urls=section.get(SCRAPE_URLS),
        preset=section.get(PRESET_KEY) or shipped_preset(DEFAULT_PRESET),
        position=value.position,
        interval=section.get(INTERVAL),
        tls=section.get(TLS),
    )


SCRAPE = Key(
    "scrape",
    ValueType(_read_scrape, {"oneOf": [_URLS.schema, object_schema(SCRAPE_KEYS)]}),
    None,
    "metrics pages fetched directly, without a Prometheus server",
)
