"""Whether a machine that wants to join fits the coordinator: the same Locust, and a compatible Python."""

from slocheck.documents.texts import shorten
from slocheck.load.messaging.machine_messages import Knock

MAX_NAME = 60


def version_refusal(knock: Knock, address: str, *, python: str, locust: str) -> str:
    """Say why a machine cannot take part; empty if it can.

    Args:
        knock: Its first message.
        address: Where it is; empty if unknown.
        python: Version of the coordinator's Python. The first two numbers have to be equal.
        locust: Version of the coordinator's Locust.
    """
    name = shorten(knock.machine, MAX_NAME)
    who = f"{name} ({address})" if address else name
    pairs = (("Python", _minor(knock.python), _minor(python)), ("Locust", knock.locust, locust))
    for part, theirs, ours in pairs:
        if theirs != ours:
            has = f"the worker on {who} has {part} {shorten(theirs, MAX_NAME)}"
            return f"{has}, the coordinator {ours}: use the same"
    return ""


def _minor(version: str) -> str:
    """Return the first two numbers of a version: what Python's own compatibility follows."""
    return ".".join(version.split(".")[:2])
