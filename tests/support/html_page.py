"""A strict reader of the HTML report: what a browser would see, and what it must not."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})


@dataclass
class Page(HTMLParser):
    """A parsed page; `problems` holds what is not well-formed."""

    problems: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    stack: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its attributes."""
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"attribute twice in {tag}")
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost element is the one that ends."""
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(f"{tag} ends out of turn at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        """Note a text below the element it stands in."""
        self.texts.setdefault(self.stack[-1] if self.stack else "", []).append(data)

    def text(self, tag: str) -> str:
        """Return all text directly inside elements of that tag."""
        return "".join(self.texts.get(tag, []))

    def attributes(self, name: str) -> list[str]:
        """Return every value of an attribute, in the page's order."""
        return [value or "" for _, attrs in self.tags for key, value in attrs.items() if key == name]


def read(document: str) -> Page:
    """Parse a document; elements left open are a problem too."""
    page = Page()
    page.feed(document)
    page.close()
    page.problems += [f"{tag} is left open" for tag in page.stack]
    return page
