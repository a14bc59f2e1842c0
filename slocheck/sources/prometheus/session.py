"""The HTTP session, with changes to the library's own; imports requests, so import it late."""

from typing import Any

import requests
from requests.auth import AuthBase

from slocheck.allowed_targets import address_of, is_localhost_name
from slocheck.documents.http import host_and_port
from slocheck.sources.credentials import Credentials


class SourceAuth(AuthBase):
    """Adds the credentials' headers.

    It is set even without credentials, because a session with an `auth` ignores ~/.netrc, which would
    replace a bearer token.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the headers to `request`."""
        request.headers.update(self._credentials.request_headers)
        return request


class DirectSession(requests.Session):
    """A session that does not follow redirects, which would send the query elsewhere or to a login page.

    Nor does it ask a proxy of the environment for this machine: the loopback of a proxy is another one's.
    """

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request, and through no proxy if it goes to this machine."""
        host = host_and_port(request.url or "")[0]
        address = address_of(host)
        if is_localhost_name(host) or (address is not None and address.is_loopback):
            options["proxies"] = {}
        return super().send(request, **options)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that no redirect is followed."""
