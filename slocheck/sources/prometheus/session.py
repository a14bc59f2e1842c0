"""The HTTP session, with changes to the library's own; imports requests, so import it late."""

import requests
from requests.auth import AuthBase

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
    """A session that does not follow redirects, which would send the query elsewhere or to a login page."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that no redirect is followed."""
