"""Where the server side's numbers come from, as each source's block of slo.yaml says."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from slocheck.documents.position import Position
from slocheck.spec.model.preset import Preset
from slocheck.spec.model.related_jobs import RelatedJobs
from slocheck.spec.model.target import Tls


@dataclass(frozen=True, slots=True)
class Auth:
    """Where credentials are kept; never their values.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBlock(ABC):
    """The block of slo.yaml that configures a metric source; each source adds its own fields.

    Attributes:
        kind: The block's name, which is also the source's name in `slocheck.sources.SOURCES`.
        takes_promql: Whether the source can be asked a PromQL query.
        preset: The names under which the service exports its metrics.
        position: Of the block's key.
        selector: Label values that pin the service's series; empty if the source has no other series.
        auth: Where the credentials are.
        tls: Verification and client certificate.
        sends_variables: Whether an address holds the value of a ``${NAME}`` beyond its host.
        related_jobs: What is read from other jobs.
    """

    kind: ClassVar[str]
    takes_promql: ClassVar[bool] = False

    preset: Preset
    position: Position
    selector: Mapping[str, str] = field(default_factory=dict)
    auth: Auth = field(default_factory=Auth)
    tls: Tls = field(default_factory=Tls)
    sends_variables: bool = False
    related_jobs: RelatedJobs = field(default_factory=RelatedJobs)

    def at_prometheus(self, url: str) -> "SourceBlock | None":
        """Return the block that asks the Prometheus server at `url` for the same service's series.

        None if the block does not say which series those are.
        """
        del url
        return None

    @property
    @abstractmethod
    def addresses(self) -> tuple[str, ...]:
        """The addresses that the source asks."""

    @property
    def sends_secrets(self) -> bool:
        """Whether a request may hold secrets that are not in the spec: credentials, or a variable's value."""
        return self.auth != Auth() or self.tls.cert is not None or self.sends_variables

    @property
    @abstractmethod
    def summary(self) -> str:
        """The source in one line, without secrets and without its preset."""
