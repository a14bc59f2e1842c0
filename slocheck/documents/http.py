"""What HTTP says about names and addresses: the host and port behind a URL, and what a token is."""

from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

TOKEN_CHARACTER = "[!#$%&'*+.^_`|~0-9A-Za-z-]"  # noqa: S105 - the name of RFC 9110, not a secret
"""A pattern of one character of a method's or a field's name (RFC 9110, section 5.6.2)."""


def host_and_port(url: str) -> tuple[str, int]:
    """Return the host and the port of a URL.

    Returns:
        The host without brackets, in lower case, empty if there is none; the port, that of the scheme
        if none is written, 0 if the scheme has none.

    Raises:
        ValueError: The port or the brackets are wrong.
    """
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)


def authority(host: str, port: int) -> str:
    """Return host and port as a URL has them; an IPv6 address gets its brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
