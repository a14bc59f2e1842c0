"""The `host` of a user class, which the spec's target replaces with a warning."""

from collections.abc import Iterable, Iterator

from locust import User

from slocheck.evidence.warnings import RunWarning
from slocheck.masking import strip_url

_OWN_HOST = "slocheck_own_host"


class OwnHostsError(Exception):
    """The user classes load several hosts, but a run has one target; the text names the hosts."""


def load_only(classes: Iterable[type[User]], target: str) -> None:
    """Make all classes load the target, and remember each class's own host; raises OwnHostsError."""
    own = {user: str(user.host).rstrip("/") for user in classes if user.host}
    if len(set(own.values())) > 1:
        listed = ", ".join(f"{user.__name__}.host is {strip_url(host)}" for user, host in own.items())
        raise OwnHostsError(
            f"{listed}: a run loads one target; make a Locust file for each host, or leave the hosts out "
            "to send everything to target.url"
        )
    for user in classes:
        setattr(user, _OWN_HOST, own.get(user, ""))
        user.host = target


def warnings(classes: Iterable[type[User]]) -> Iterator[RunWarning]:
    """Yield a warning for each class whose own host is not the target."""
    for user in classes:
        own: str = getattr(user, _OWN_HOST, "")
        if own and own != user.host:
            text = f"{user.__name__}.host = {strip_url(own)} is not used: the load goes to target.url"
            yield RunWarning("own-host", text)
