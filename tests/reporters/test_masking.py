"""Masking before rendering: no sink's escapes hide a secret from the mask."""

import pytest

from slocheck.masking import masked
from slocheck.reporters import FORMATS
from tests.builders.reports import hostile_report, report

SECRET = 'zqx7_w-1.2"&<x>|`y`'


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "hgrm"])  # which holds numbers only
def test_no_form_of_a_secret_is_left(name: str) -> None:
    """Wherever foreign text may be, the mask replaces the secret, in every format."""
    rendered = FORMATS[name].render(masked(hostile_report(f"before {SECRET} after"), (SECRET,)))
    assert "***" in rendered.replace("\\", "")
    assert "zqx7" not in rendered
    assert rendered.count("before") > 3


def test_what_is_not_changed_stays_equal() -> None:
    """The same report comes back: enums, fractions, counts and all."""
    plain = report()
    assert masked(plain, (SECRET,)) == plain
