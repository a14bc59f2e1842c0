"""The options of ``python -m slocheck.reference_api``, and settings as options."""

import argparse
import ssl
from pathlib import Path

from slocheck.errors import UsageError
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.http.http2 import HOST, Certificate
from slocheck.reference_api.settings import (
    EVERY,
    STRATEGIES,
    Settings,
    read_strategies,
    with_strategies,
)

_ADDRESSES = {
    "--database": ("database_url", "postgresql://… or sqlite:///PATH; default: a private SQLite file"),
    "--replica": ("replica_url", "a streaming replica of it"),
    "--redis": ("redis_url", "redis://…: the second level of the cache, and the queue"),
    "--otlp": ("otlp_url", "where spans are sent, such as http://127.0.0.1:4318"),
}
_COUNTS = {
    "--workers": ("workers", "processes that serve"),
    "--items": ("items", "items for sale; users and orders grow with them"),
    "--cache-items": ("cache_items", "most entries of the cache in the process"),
    "--cache-bytes": ("cache_bytes", "most bytes of its values"),
    "--pool-size": ("pool_size", "most connections of a process to one database"),
}
_SECONDS = {
    "--ttl": ("ttl_s", "seconds for which a cached value is used"),
    "--redis-timeout": ("redis_timeout_s", "longest wait for Redis, seconds; then the database is asked"),
    "--pool-timeout": ("pool_timeout_s", "longest wait for a connection, seconds"),
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of all options."""
    made = argparse.ArgumentParser(prog="python -m slocheck.reference_api", description="The reference API.")
    made.add_argument("--host", default=HOST, help="address to listen on; in a container 0.0.0.0")
    made.add_argument("--port", type=int, default=0, help="0: any free one")
    made.add_argument("--certificate", type=Path, help="PEM chain: TLS, and HTTP/2 to clients that offer it")
    made.add_argument("--key", type=Path, help="PEM key of the certificate")
    made.add_argument("--delays-ms", type=float, nargs="*", default=[], help="latencies to inject")
    made.add_argument("--error-rate", type=float, default=0.0, help="share of requests to fail, 0..1")
    made.add_argument("--seed", type=int, default=0, help="of the injected faults")
    made.add_argument(
        "--strategies", default=EVERY, help=f"all, none, or some of {','.join(STRATEGIES)}; default: all"
    )
    default = Settings()
    for table, kind in ((_ADDRESSES, str), (_COUNTS, int), (_SECONDS, float)):
        for option, (name, what) in table.items():
            made.add_argument(option, dest=name, type=kind, default=getattr(default, name), help=what)
    made.add_argument(
        "--end-with-stdin", action="store_true", help="end when standard input ends, as for a parent process"
    )
    made.add_argument("--listener", type=int, help=argparse.SUPPRESS)  # of a worker: the shared socket
    # removed at the end, even if its creator was killed
    made.add_argument("--folder", help=argparse.SUPPRESS)
    return made


def read_settings(options: argparse.Namespace) -> Settings:
    """Return the settings of parsed options.

    Raises:
        UsageError: A strategy is unknown, or a number out of range.
    """
    for option, (name, _) in (_COUNTS | _SECONDS).items():
        if not getattr(options, name) > 0:
            raise UsageError(f"{option}: {getattr(options, name)} is too small; write a number above 0")
    tables = _ADDRESSES | _COUNTS | _SECONDS
    settings = Settings(**{name: getattr(options, name) for name, _ in tables.values()})
    return with_strategies(settings, read_strategies(options.strategies))


def read_faults(options: argparse.Namespace) -> Faults:
    """Return the faults of parsed options; raises UsageError."""
    return Faults(options.delays_ms, options.error_rate, options.seed)


def read_certificate(options: argparse.Namespace) -> Certificate | None:
    """Return the certificate of parsed options, None without one.

    Raises:
        UsageError: One of the two files is missing or cannot be read, or there are several workers.
    """
    files = (options.certificate, options.key)
    if files == (None, None):
        return None
    if None in files:
        raise UsageError("--certificate and --key: write both, or none of them")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*files)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"--certificate {files[0]}, --key {files[1]}: cannot be used: {why}") from error
    if options.workers > 1:
        raise UsageError("--workers: with a certificate one process serves; start several behind a proxy")
    return Certificate(*files)


def as_options(settings: Settings) -> list[str]:
    """Return options that give these settings."""
    names = [name for name in STRATEGIES if getattr(settings, name.replace("-", "_"))]
    tables = _ADDRESSES | _COUNTS | _SECONDS
    values = [f"{option}={getattr(settings, name)}" for option, (name, _) in tables.items()]
    return [*values, f"--strategies={','.join(names)}"]
