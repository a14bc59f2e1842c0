"""Where a value stands in a document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """Where a value stands in a document; both count from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"
