"""One change to a good document, and the message about it."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class BrokenText:
    """One change to a good document and the first message it must lead to.

    Attributes:
        good: The document; each kind of it has its own subclass.
        old: A text that occurs in it once.
        new: What replaces it.
        message: Of the first problem, without the path.
        schema: Whether the JSON Schema refuses it, too.
    """

    good: ClassVar[str]

    old: str
    new: str
    message: str
    schema: bool = True

    @property
    def text(self) -> str:
        """The broken document."""
        assert self.good.count(self.old) == 1, f"{self.old!r} is not unique"
        return self.good.replace(self.old, self.new)
