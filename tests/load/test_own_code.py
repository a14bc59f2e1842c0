"""Which lines belong to the user."""

import json

import pytest

from slocheck.load.own_code import is_own


@pytest.mark.parametrize(
    ("file", "own"),
    [
        pytest.param(__file__, True, id="a file outside of all packages"),
        pytest.param("scenario.py", True, id="a file by its name alone"),
        pytest.param(json.__file__, False, id="the standard library"),
        pytest.param(pytest.__file__, False, id="an installed package"),
        pytest.param("/elsewhere/dist-packages/x.py", False, id="a package of the system"),
        pytest.param("src/gevent/_gevent_c_greenlet_primitives.pxd", False, id="compiled"),
        pytest.param("<string>", False, id="a text"),
    ],
)
def test_a_line_is_the_users_or_a_librarys(file: str, own: bool) -> None:
    """An exception is reported with the user's innermost line."""
    assert is_own(file) is own
