"""How an entry is written in Redis."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.reference_api.caching import Entry
from slocheck.reference_api.caching.codec import decode, encode

TIMES = st.floats(0, 1e12)


@given(st.none() | st.binary(max_size=200), TIMES, TIMES)
def test_what_was_written_is_read(value: bytes | None, expiry: float, delta: float) -> None:
    """Every entry survives, and a missing value differs from an empty one."""
    entry = Entry(value, expiry, delta)
    assert decode(encode(entry)) == entry


@given(st.binary(max_size=60))
def test_a_strangers_bytes_are_an_entry_or_a_miss(stored: bytes) -> None:
    """Whatever the key holds, reading it raises nothing."""
    entry = decode(stored)
    assert entry is None or (entry.delta >= 0 and not math.isnan(entry.expiry))


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="empty"),
        pytest.param(struct.pack(">BBdd", 2, 1, 1.0, 1.0), id="another version"),
        pytest.param(struct.pack(">BBdd", 1, 2, 1.0, 1.0), id="neither there nor absent"),
        pytest.param(struct.pack(">BBdd", 1, 1, 1.0, -1.0), id="a query that took less than no time"),
        pytest.param(struct.pack(">BBdd", 1, 1, 1.0, math.nan), id="a cost that is not a number"),
        pytest.param(struct.pack(">BBdd", 1, 1, math.nan, 1.0), id="an expiry that is not a number"),
        pytest.param(struct.pack(">BBd", 1, 1, 1.0), id="cut off"),
    ],
)
def test_what_is_not_an_entry_is_a_miss(stored: bytes) -> None:
    """It is reloaded instead of being served."""
    assert decode(stored) is None
