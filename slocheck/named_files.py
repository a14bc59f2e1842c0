"""Files at paths that somebody named, which may be anything: an endless device, a pipe, another user's.

They are read within bounds, and written as a whole or not at all.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from slocheck.errors import SaveError, reason_of

_SPECIAL = (("/", "dev"), ("/", "proc"))
"""Folders whose paths lead to devices and to open files of this process, which must not be replaced."""
_PRIVATE, _SHARED = 0o600, 0o666
"""Modes of new files, before the umask applies."""


def read_named(path: str, *, most: int) -> bytes:
    """Return the content of a file, of `most` bytes at the most.

    Raises:
        OSError: It cannot be read, is not a regular file, or is larger; `strerror` says which.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # does not wait for a pipe's other end
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes")
    return data


def asked(question: Callable[[], bool]) -> bool:
    """Return the result of a question about a path; False if it may not be asked, or the name is too long."""
    try:
        return question()
    except OSError:
        return False


def write_to(target: Path, content: bytes) -> None:
    """Write to the path that the user named, whatever is there; raises SaveError.

    A file is replaced as a whole, even through a link. A device or a pipe is written to; it is not an error
    if nobody reads a pipe to its end.
    """
    try:
        special = target.parts[:2] in _SPECIAL or (target.exists() and not target.is_file())
        if not special:
            write_atomically(target.resolve(), content)
            return
        with suppress(BrokenPipeError), target.open("wb") as file:
            file.write(content)
    except (OSError, RuntimeError, ValueError) as error:  # a link to itself, a name with a NUL in it
        raise SaveError(f"{target}: cannot be written: {reason_of(error)}") from error


def write_atomically(target: Path, content: bytes, *, private: bool = False) -> None:
    """Replace the content of `target`, or leave it as it was; raises SaveError.

    It is written under another name, synced, renamed, and its folder is synced: a kill or a full disk leaves
    the old file or the new one, never half of one.

    Args:
        target: An existing file keeps its mode; a new one follows the umask.
        content: All of it.
        private: It may hold secrets, so only its owner may read it, whatever the umask.
    """
    temporary = target.parent / f".slocheck-{os.urandom(8).hex()}"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE if private else _SHARED)
        try:
            with os.fdopen(handle, "wb") as file:
                if not private and target.exists():
                    os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise SaveError(f"{target}: cannot be written: {reason_of(error)}") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
