"""Where server metrics come from: a Prometheus server, or metrics pages scraped directly."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slocheck.documents.position import Position
from slocheck.spec.model.preset import Preset
from slocheck.spec.model.related_jobs import RelatedJobs
from slocheck.spec.model.target import Tls


@dataclass(frozen=True, slots=True)
class Auth:
    """Credentials, by where they are kept; never their value.

    Attributes:
        bearer_token_file: A file that holds a bearer token.
        username: For basic authentication.
        password_file: A file that holds the password.
        headers_env: Header name to the environment variable that holds its value.
    """

    bearer_token_file: str | None = None
    bearer_token_env: str | None = None
    username: str | None = None
    password_file: str | None = None
    password_env: str | None = None
    headers_env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """A Prometheus server (or one that answers its API).

    Attributes:
        url: Base URL, with path prefix where there is one.
        preset: Metric names: a shipped preset's, or the user's own.
        selector: Label matchers that pin the job, all equalities.
        auth: Where the credentials are.
        headers: Plain extra headers (``X-Scope-OrgID``).
        params: Extra query parameters (``dedup: "true"``).
        tls: Verification and client certificate.
        timeout: Seconds for one query.
        position: Of the ``prometheus`` key.
        related_jobs: What is read from other jobs.
    """

    url: str
    preset: Preset
    selector: Mapping[str, str]
    position: Position
    auth: Auth = Auth()
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tls: Tls = field(default_factory=Tls)
    timeout: float = 30.0
    related_jobs: RelatedJobs = field(default_factory=RelatedJobs)


@dataclass(frozen=True, slots=True)
class ScrapeSource:
    """Metrics pages fetched directly, one URL a replica.

    Attributes:
        urls: Every replica's metrics URL.
        preset: Metric names: a shipped preset's, or the user's own.
        interval: Seconds between scrapes during the run, 1..5.
        position: Of the ``scrape`` key.
        tls: Verification.
    """

    urls: tuple[str, ...]
    preset: Preset
    position: Position
    interval: float = 1.0
    tls: Tls = field(default_factory=Tls)
