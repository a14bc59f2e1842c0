"""The position of a value in a document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a value in a document; both numbers count from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"
