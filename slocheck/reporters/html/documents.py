"""HTML documents from templates: everything is escaped, and only our own style and script are allowed."""

import base64
import hashlib
import marshal
import sys
from contextlib import suppress
from functools import cache
from importlib.resources import files
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

import jinja2
from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from slocheck.reporters import escape

_PAGE = "slocheck.reporters.html"
_DIGEST = hashlib.sha256


@cache
def environment(package: str) -> Environment:
    """Return the template environment of a package's folder ``page``; an unknown name is an error."""
    return Environment(
        loader=PackageLoader(package, "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        bytecode_cache=CompiledTemplates(),
    )


class CompiledTemplates(BytecodeCache):
    """Keeps compiled templates where Python keeps compiled modules: most reports then compile none.

    Like those, they are not kept in a folder that cannot be written. What was written by another version, or
    not as a whole, is compiled again.
    """

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the path of the compiled template."""
        return str(Path(cache_from_source(filename or name)).with_suffix(".jinja"))

    def get_source_checksum(self, source: str) -> str:
        """Return a digest of all that the compiled template follows from."""
        settings = (Path(str(path)).read_bytes() for path in (__file__, escape.__file__))
        parts = (MAGIC_NUMBER, jinja2.__version__.encode(), *settings, source.encode())
        return _DIGEST(b"\0".join(parts)).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Put the compiled template into the bucket, if there is one."""
        with suppress(OSError):
            digest, _, code = Path(bucket.key).read_bytes().partition(b"\n")
            if digest == _of(bucket, code):
                bucket.code = marshal.loads(code)  # noqa: S302 - from where Python's own code comes from

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the compiled template, if the folder takes it."""
        if sys.dont_write_bytecode:
            return
        path, code = Path(bucket.key), marshal.dumps(bucket.code)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_of(bucket, code) + b"\n" + code)


def _of(bucket: Bucket, code: bytes) -> bytes:
    """Return the digest of a compiled template: of its source and settings, and of the code itself."""
    return _DIGEST(bucket.checksum.encode() + code).hexdigest().encode()


def _finalize(value: object) -> Markup:
    """Clean and escape what is shown; our own markup is clean and escaped already."""
    if isinstance(value, Markup):
        return value
    return Markup(escape.for_html(str(value)))  # noqa: S704 - escaped by the sink's own function


@cache
def asset(name: str) -> Markup:
    """Return the report's style sheet or script; it must not contain a closing tag of its element."""
    text = files(_PAGE).joinpath("page", name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - our own file


def csp_hash(text: str) -> str:
    """Return the CSP source expression that allows an inline element with exactly this text."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
