"""The two files of ``slocheck token``: what the coordinator has to prove, and what its workers have to prove.

The coordinator's holds the CurveZMQ secret key, the workers' the public one. Both hold a shared secret that
signs the messages of joining. So both the coordinator and the workers are authenticated.
"""

import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from slocheck.errors import SaveError, UsageError, reason_of
from slocheck.named_files import read_named

FORMAT = 1
COORDINATOR, WORKER = "coordinator", "worker"
_KEYS = {COORDINATOR: "secret_key", WORKER: "public_key"}
_LARGEST = 4096
_KEY_LENGTH, _SECRET_BYTES = 40, 32
_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Token:
    """What one of the files holds.

    Attributes:
        key: CurveZMQ key of the coordinator, Z85: the secret one or the public one.
        shared_secret: Signs the messages of joining, hexadecimal.
    """

    key: str = field(repr=False)
    shared_secret: str = field(repr=False)


def make_token_files(coordinator: Path, worker: Path) -> None:
    """Write a new pair of files that only their owner can read; neither may exist.

    Raises:
        UsageError: One of them exists, or both are the same.
        SaveError: One could not be written; nothing is left of the other.
    """
    import zmq  # noqa: PLC0415 - --help stays light

    if coordinator.resolve() == worker.resolve():
        raise UsageError(f"{coordinator}: the two files need different names")
    public, secret = zmq.curve_keypair()
    shared = secrets.token_hex(_SECRET_BYTES)
    written: list[Path] = []
    try:
        for path, role, key in ((coordinator, COORDINATOR, secret), (worker, WORKER, public)):
            _write(path, {"slocheck_token": FORMAT, "for": role, _KEYS[role]: key.decode(), "secret": shared})
            written.append(path)
    except (UsageError, SaveError):
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise


def _write(path: Path, content: dict[str, object]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
    except FileExistsError:
        raise UsageError(
            f"{path}: exists already and is kept; name another file, or remove it if no run needs it"
        ) from None
    except (OSError, ValueError) as error:
        raise SaveError(f"{path}: {reason_of(error)}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            os.fchmod(descriptor, _MODE)
            file.write(json.dumps(content, indent=1) + "\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise SaveError(f"{path}: {reason_of(error)}") from error


def read_token_file(path: Path, role: str) -> Token:
    """Return what a file holds for the coordinator or a worker; raises UsageError."""
    try:
        data = read_named(str(path), most=_LARGEST)
        mode = stat.S_IMODE(path.stat().st_mode)
    except (OSError, ValueError) as error:
        raise UsageError(f"--token-file {path}: {reason_of(error)}; make one with `slocheck token`") from None
    if mode & stat.S_IRWXO:
        raise UsageError(
            f"--token-file {path}: everybody on this machine may read it (mode {mode:04o}); chmod 600 {path}"
        )
    try:
        plain = json.loads(data)
        version, has = plain["slocheck_token"], plain["for"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise UsageError(f"--token-file {path}: not a file of `slocheck token`; make one with it") from None
    if version != FORMAT:
        raise UsageError(
            f"--token-file {path}: has format {version!r:.20}, this version reads {FORMAT}; make new files"
        )
    if has != role:
        raise UsageError(
            f"--token-file {path}: it is the {has!r:.20} file; this side needs the one for {role!r}"
        )
    return _token(path, plain, role)


def _token(path: Path, plain: dict[str, object], role: str) -> Token:
    key, shared = plain.get(_KEYS[role]), plain.get("secret")
    if isinstance(key, str) and isinstance(shared, str) and _is_key(key) and _is_secret(shared):
        return Token(key, shared)
    raise UsageError(f"--token-file {path}: is damaged; make new files with `slocheck token`")


def _is_key(text: str) -> bool:
    return len(text) == _KEY_LENGTH and text.isascii() and text.isprintable() and " " not in text


def _is_secret(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == _SECRET_BYTES
    except ValueError:
        return False
