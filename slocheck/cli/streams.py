"""Standard output and standard error of the process, so that no reader and no full disk changes a verdict.

`guard` puts both behind a layer that never raises: a reader that went away, a full disk or a
closed descriptor ends the output and nothing else. What standard output could not take is reported once, by
`lost_output`. Characters that the encoding cannot carry become ASCII.
"""

import codecs
import errno
import io
import os
import select
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from slocheck.errors import SaveError

GLYPHS = {
    "✓": "+",
    "✗": "x",
    "…": "~",
    "·": "-",
    "■": "#",
    "±": "+-",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "→": "->",
    "▸": ">",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{EN DASH}": "-",
    "—": "-",
    "µ": "u",
    "μ": "u",
    **dict(zip("▁▂▃▄▅▆▇█", ".:-=+*#@", strict=True)),
    **dict.fromkeys("─━╸╺", "-"),
}
"""slocheck's own characters that are not ASCII, and the replacement of each if it cannot be shown."""

UNKNOWN = "?"
HANDLER = "slocheck.ascii"
"""The name of the error handler of `codecs` that replaces what cannot be shown by ASCII."""
_NOBODY_READS = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN})


def in_ascii(text: str) -> str:
    """Return `text` in ASCII: glyphs by their replacements, everything foreign by a question mark."""
    return "".join(c if c.isascii() else GLYPHS.get(c, UNKNOWN) for c in text)


def _encode_rest(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding cannot carry; called by `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end


codecs.register_error(HANDLER, _encode_rest)


class _Sink(io.RawIOBase):
    """A descriptor that takes everything: after the first error it drops what is written.

    Attributes:
        failure: Why it could not write; None if it could, or if nobody reads.
    """

    def __init__(self, descriptor: int, *, is_open: bool) -> None:
        super().__init__()
        self.failure: OSError | None = None
        self._descriptor = descriptor
        self._ended = not is_open

    def writable(self) -> bool:
        """Tell that this is an output."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, block: memoryview) -> int:  # type: ignore[override]  # as BufferedWriter calls it
        """Write a block or drop it; returns its length either way."""
        rest = memoryview(block)
        while rest and not self._ended:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError as error:
                self._ended = True
                if error.errno not in _NOBODY_READS:
                    self.failure = error
        return len(block)


def guard() -> None:
    """Guard the process's standard streams; call it before anything is printed."""
    was_open = {number: _is_open(number) for number in (0, 1, 2)}
    for number in (number for number, is_open in was_open.items() if not is_open):
        _occupy(number)
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    sys.stdout = _guarded(sys.stdout, 1, is_open=was_open[1])
    sys.stderr = _guarded(sys.stderr, 2, is_open=was_open[2])


def encoding_for(python: str, environment: Mapping[str, str]) -> str:
    """Return the encoding of what is printed: Python's, or ASCII if the user's locale is C.

    In the C locale Python still writes UTF-8 (PEP 538 and 540), which a terminal in that locale does
    not show. If no locale is set, or Python was told what to write, that stays.

    Args:
        python: The encoding that Python chose.
        environment: Environment variables; LC_CTYPE is left out, because Python itself sets it.
    """
    if environment.get("PYTHONIOENCODING") or environment.get("PYTHONUTF8") == "1":
        return python
    locale = environment.get("LC_ALL") or environment.get("LANG") or ""
    return "ascii" if locale in ("C", "POSIX") else python


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _occupy(descriptor: int) -> None:
    """Keep a closed descriptor from being given to a file of the run, which a child would then write to."""
    null = os.open(os.devnull, os.O_RDWR)
    if null != descriptor:
        os.dup2(null, descriptor)
        os.close(null)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - its only form


def _guarded(stream: TextIO | None, descriptor: int, *, is_open: bool) -> TextIO:
    """Return the guarded form of a standard stream, which is None if Python found it closed."""
    sink = _Sink(descriptor, is_open=is_open and stream is not None)
    encoding = encoding_for(stream.encoding if stream is not None else "utf-8", os.environ)
    if stream is not None:
        stream.flush()
    buffer = io.BufferedWriter(sink)  # type: ignore[type-var]  # a raw stream, as the class asks for
    return io.TextIOWrapper(buffer, encoding=encoding, errors=HANDLER, line_buffering=True)


def lost_output() -> OSError | None:
    """Flush standard output; returns why some of it was lost, None if nothing was.

    A reader that stops reading is not a loss: `slocheck grade latest | head -1` has what it wanted.
    """
    sys.stdout.flush()
    sink = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return sink.failure if isinstance(sink, _Sink) else None


def save_error(lost: OSError) -> SaveError:
    """Return the error for output that standard output could not take."""
    return SaveError(f"standard output cannot be written: {lost.strerror}")


def write_document(text: str, *, utf8_only: bool = False) -> None:
    """Write a report to standard output, unharmed: in UTF-8, or in ASCII with character references.

    With `utf8_only` it is UTF-8 in any case: such a format knows no references.

    A question mark will do for a line on a screen, but not for a document that states its
    encoding. HTML, XML and Markdown have character references, and JSON is ASCII already.
    """
    if codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8":
        if utf8_only:
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
            return
        text = text.encode("ascii", "xmlcharrefreplace").decode("ascii")
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
