"""The API under load."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server's certificate is checked. `ca` and `cert`/`key` are file paths."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """The API under load.

    Attributes:
        url: Base URL, http or https, without user info.
        instances: How many instances serve it; None: counted from the server-side series.
        tls: How its certificate is checked.
    """

    url: str
    instances: int | None = 1
    tls: Tls = Tls()
