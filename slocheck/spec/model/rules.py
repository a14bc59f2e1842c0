"""How one response is classified: failed, unexpected or neither; cache hit or miss."""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

_SUCCESS, _NOT_MODIFIED = 2, 304


@dataclass(frozen=True, slots=True)
class FailureRule:
    """Which status codes are failures, and which are fine: exact (``429``) or classes (``5xx``).

    Attributes:
        statuses: Failures of the target.
        expected: Accepted, in addition to 2xx and 304; none of them is a failure as well.
        redirects: Paths on the target that a redirect may lead to.
    """

    statuses: tuple[str, ...] = ("5xx", "429")
    expected: tuple[str, ...] = ()
    redirects: tuple[str, ...] = ()

    def fails(self, status: int) -> bool:
        """Tell whether a response with this status code is a failed request."""
        return _listed(status, self.statuses)

    def unexpected(self, status: int) -> bool:
        """Tell whether a response with this status code is neither accepted nor a failure of the target.

        This is the rule if the scenario does not say which statuses it expects.
        """
        accepted = status // 100 == _SUCCESS or status == _NOT_MODIFIED or _listed(status, self.expected)
        return not accepted and not self.fails(status)

    def succeeds(self, status: int) -> bool:
        """Tell whether a response with this status code is a success unless the scenario says otherwise."""
        return not self.fails(status) and not self.unexpected(status)

    def expects_redirect(self, url: str, location: str) -> bool:
        """Tell whether a redirect of `url` to `location` leads to an allowed path, followed or not."""
        return bool(self.redirects) and redirect_path(url, location) in self.redirects


def redirect_path(url: str, location: str) -> str:
    """Return the path that a redirect leads to; empty if it is on another host, or not an address.

    Args:
        url: The requested URL; ``//host/path`` will do.
        location: The response's header field.
    """
    try:
        asked, leads_to = urlsplit(url), urlsplit(urljoin(url, location))
    except ValueError:
        return ""
    return (leads_to.path or "/") if leads_to.hostname == asked.hostname else ""


def _listed(status: int, statuses: tuple[str, ...]) -> bool:
    return str(status) in statuses or f"{status // 100}xx" in statuses


@dataclass(frozen=True, slots=True)
class CacheRule:
    """Response headers that distinguish a cache hit from a miss, looked up in this order, lower case."""

    headers: tuple[str, ...] = ("x-cache", "cf-cache-status", "age")
