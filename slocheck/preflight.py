"""What is checked of the target before any load: that it may be loaded, and that it answers."""

import fcntl
import hashlib
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from slocheck.errors import TargetError, UsageError
from slocheck.masking import strip_url
from slocheck.spec.model import Target, Tls

PROBE_TIMEOUT_S = 10.0


def guard_target(url: str, allowed: Sequence[str]) -> None:
    """Refuse a target that is neither this machine nor named by the user; raises UsageError.

    A name is loopback only if it is ``localhost``: any other name can be pointed elsewhere, so DNS
    widens nothing. `allowed` holds host names, from ``--allow-target`` or the environment.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if is_loopback(host) or host in {name.strip().rstrip(".").lower() for name in allowed}:
        return
    raise UsageError(
        f"target {strip_url(url)}: {host} is not this machine; load against it has to be allowed "
        f"outside the spec: --allow-target {host} (or SLOCHECK_ALLOW_TARGETS={host})"
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host, by its spelling alone, is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def verify_context(tls: Tls) -> ssl.SSLContext:
    """Build the context that checks a server's certificate as `tls` says; raises UsageError."""
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"tls: {tls.ca or tls.cert}: cannot be used: {error}") from error
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def probe_target(target: Target) -> None:
    """Send one request; any answer will do, redirects are not followed. Raises TargetError."""
    where = strip_url(target.url)
    try:
        with (
            httpx.Client(
                verify=verify_context(target.tls),
                timeout=PROBE_TIMEOUT_S,
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream("GET", target.url),
        ):
            return
    except httpx.ConnectError as error:
        raise TargetError(f"target {where}: {_why(error)}") from error
    except httpx.TimeoutException as error:
        raise TargetError(
            f"target {where}: no answer within {PROBE_TIMEOUT_S:g} s; is it up, and the address right?"
        ) from error
    except httpx.TransportError as error:
        raise TargetError(f"target {where}: does not speak HTTP as expected: {error}") from error


def _why(error: httpx.ConnectError) -> str:
    """Name the cause of a failed connection and what to do about it."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "SSL" in text.upper():
        return (
            f"TLS failed: {text}; name the authority with `target.tls.ca: FILE`, "
            "or accept any certificate with `target.tls.insecure: true` (every report will say so)"
        )
    if "Name or service not known" in text or "name resolution" in text or "nodename" in text:
        return "unknown host; check the name in target.url"
    if "refused" in text.lower():
        return "connection refused; nothing listens there. Start the target, or pass --target URL"
    return f"cannot be reached: {text}"


@contextmanager
def sole_use(url: str, *, allow_concurrent: bool) -> Iterator[None]:
    """Hold this user's lock on the target, so that two runs do not measure each other's load."""
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
