"""What is checked of the target before any load: it may be loaded, it answers, no other run loads it."""

import fcntl
import hashlib
import ipaddress
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from slocheck.errors import TargetError, UsageError
from slocheck.masking import strip_url
from slocheck.spec.model import Target
from slocheck.tls import tls_context

PROBE_TIMEOUT_S = 10.0


def guard_target(url: str, allowed: Sequence[str]) -> None:
    """Refuse a target that is neither this machine nor named by the user; raises UsageError.

    Of names only ``localhost`` counts as this machine: any other can be made to point elsewhere, so DNS is
    not asked. `allowed` holds host names, from ``--allow-target`` or the environment.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if is_loopback(host) or host in {name.strip().rstrip(".").lower() for name in allowed}:
        return
    raise UsageError(
        f"target {strip_url(url)}: {host} is not this machine; load against it has to be allowed "
        f"outside the spec: --allow-target {host} (or SLOCHECK_ALLOW_TARGETS={host})"
    )


def is_loopback(host: str) -> bool:
    """Tell from a host's spelling alone whether it is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def probe_target(target: Target) -> None:
    """Connect once, with the TLS handshake where the URL asks for it; raises TargetError.

    No request is sent: the target would count it, and no recording would.
    """
    parts = urlsplit(target.url)
    where = strip_url(target.url)
    secure = parts.scheme == "https"
    address = (parts.hostname or "", parts.port or (443 if secure else 80))
    context = tls_context(target.tls, where="target.tls") if secure else None
    try:
        with socket.create_connection(address, timeout=PROBE_TIMEOUT_S) as plain:
            if context:
                context.wrap_socket(plain, server_hostname=address[0]).close()
    except OSError as error:
        raise TargetError(f"target {where}: {_why(error)}") from error


def _why(error: OSError) -> str:
    """Return why a connection failed and what to do about it."""
    match error:
        case ssl.SSLError():
            return (
                f"TLS failed: {error}; name the authority with `target.tls.ca: FILE`, "
                "or accept any certificate with `target.tls.insecure: true` (every report will say so)"
            )
        case socket.gaierror():
            return "unknown host; check the name in target.url"
        case ConnectionRefusedError():
            return "connection refused; nothing listens there. Start the target, or pass --target URL"
        case TimeoutError():
            return f"no answer within {PROBE_TIMEOUT_S:g} s; is it up, and is the address right?"
        case _:
            return f"cannot be reached: {error}"


@contextmanager
def sole_use(url: str, *, allow_concurrent: bool) -> Iterator[None]:
    """Hold this user's lock on the target: two runs would measure each other's load; raises UsageError."""
    if allow_concurrent:
        yield
        return
    parts = urlsplit(url)
    key = hashlib.sha256(f"{parts.hostname}:{parts.port or parts.scheme}".encode()).hexdigest()[:24]
    folder = Path(tempfile.gettempdir()) / f"slocheck-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / key, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UsageError(
            f"target {strip_url(url)}: another slocheck run is loading it, and each would measure the "
            "other's load; wait for it, or pass --allow-concurrent"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
