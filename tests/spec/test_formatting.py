"""Numbers in messages, as people write them."""

import pytest

from slocheck.spec.formatting import format_longer


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        pytest.param(1.004, "at least 1.1", id="never 'one time longer'"),
        pytest.param(1.11, "at least 1.2", id="rounded up"),
        pytest.param(9.99, "at least 10", id="up to a whole number"),
        pytest.param(10, "at least 10", id="whole from ten"),
        pytest.param(18.1, "at least 19", id="rounded up, whole"),
        pytest.param(143.2, "at least 150", id="two digits"),
        pytest.param(12_345.0, "at least 13,000", id="no power of ten"),
    ],
)
def test_how_much_longer_is_rounded_up(factor: float, text: str) -> None:
    """A run as long as the message says is long enough."""
    assert format_longer(factor) == f"a run {text} times longer"
