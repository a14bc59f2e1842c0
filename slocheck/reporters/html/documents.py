"""HTML documents from templates: everything is escaped, and only our own style and script are allowed."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from slocheck.reporters.escape import for_html

_PAGE = "slocheck.reporters.html"


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
    )


def _finalize(value: object) -> Markup:
    """Clean and escape what is shown; our own markup is clean and escaped already."""
    if isinstance(value, Markup):
        return value
    return Markup(for_html(str(value)))  # noqa: S704 - escaped by the sink's own function


@cache
def asset(name: str) -> Markup:
    """Return the report's style sheet or script; it must not contain a closing tag of its element."""
    text = files(_PAGE).joinpath("page", name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - our own file


def csp_hash(text: str) -> str:
    """Return the CSP source expression that allows an inline element with exactly this text."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
