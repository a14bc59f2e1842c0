"""Every error that slocheck raises on purpose; the CLI maps each to an exit code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SIGNAL_EXIT_CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


class SlocheckError(Exception):
    """Base of all: the message says where, what, and what to do. `exit_code` is the contract's."""

    exit_code = 70


class UsageError(SlocheckError):
    """A flag, path or combination that cannot be used; nothing was sent."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document the user wrote.

    Attributes:
        path: The document, as the user named it.
        line: From 1.
        column: From 1.
        where: Dotted key path, such as ``objectives.checkout_p99.gold``; may be empty.
        what: What was found, and what to write instead.
    """

    path: str
    line: int
    column: int
    where: str
    what: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}"
        return f"{place} {self.where}: {self.what}" if self.where else f"{place} {self.what}"


class SpecError(UsageError):
    """slo.yaml (or a scenario) is wrong; holds every problem found, in the order of lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.column)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class MeasurementError(SlocheckError):
    """The measurement is impossible: target, Prometheus or generator failed; exit 4."""

    exit_code = 4


class TargetError(MeasurementError):
    """The target cannot be reached before the run: refused, unknown host, TLS."""


class SourceError(MeasurementError):
    """A metric source failed: refused, unauthorised, not Prometheus, empty, incomplete."""


class GeneratorError(MeasurementError):
    """The load generator failed: a scenario that raises, a lost worker, a broken protocol."""


class SaveError(SlocheckError):
    """The result could not be saved; the verdict is on stderr."""

    exit_code = 74


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything that it wraps, outermost first, each once.

    Libraries wrap errors as arguments, as a `reason` (urllib3) or as an `original` (geventhttpclient), and
    Python as cause and context.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = (
            *current.args,
            getattr(current, "reason", None),
            getattr(current, "original", None),
            current.__cause__,
            current.__context__,
        )
        waiting += [inner for inner in wrapped if isinstance(inner, BaseException)]


def reason_of(error: BaseException) -> str:
    """Return the operating system's text of an error, such as ``No such file or directory``, or its own."""
    return str(getattr(error, "strerror", None) or error)
