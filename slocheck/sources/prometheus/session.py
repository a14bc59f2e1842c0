"""How the HTTP session differs from the library's own; imports requests, so import it late."""

import requests
from requests.auth import AuthBase

from slocheck.sources.credentials import Credentials


class SourceAuth(AuthBase):
    """Adds the credentials' headers.

    It is set even without any: a session that has an `auth` leaves ~/.netrc alone, which would
    replace a bearer token.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the headers to `request`."""
        request.headers.update(self._credentials.request_headers)
        return request


class DirectSession(requests.Session):
    """A session that follows no redirects: the query would go elsewhere, and a login page returns 200."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: no redirect is followed."""
