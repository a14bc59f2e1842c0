"""Files that a spec names, which may be anything: an endless device, a pipe without a writer."""

import errno
import os
import stat


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
