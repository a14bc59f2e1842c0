"""The cache of the reference API: what it keeps, and for how long."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from slocheck.reference_api.cache import Cache


def test_an_entry_is_kept_until_its_time_is_over() -> None:
    """On the limit it is gone, just before it is not."""
    now = 0.0
    cache = Cache(time_to_live_s=10, clock=lambda: now)
    cache.put("1", b"one")
    now = 9.999
    assert cache.get("1") == b"one"
    now = 10.0
    assert cache.get("1") is None


def test_putting_again_starts_the_time_anew() -> None:
    """The newer value counts, with its own time."""
    now = 0.0
    cache = Cache(time_to_live_s=10, clock=lambda: now)
    cache.put("1", b"old")
    now = 9.0
    cache.put("1", b"new")
    now = 18.0
    assert cache.get("1") == b"new"


def test_the_least_recently_used_entry_leaves_first() -> None:
    """A read is a use."""
    cache = Cache(capacity=2)
    cache.put("1", b"one")
    cache.put("2", b"two")
    cache.get("1")
    cache.put("3", b"three")
    assert (cache.get("1"), cache.get("2"), cache.get("3")) == (b"one", None, b"three")


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.integers(1, 5))
def test_hits_are_those_of_a_plain_lru_list(keys: list[str], capacity: int) -> None:
    """Whatever is asked for, hits and misses equal those of a model that keeps a list of uses."""
    cache = Cache(capacity=capacity, time_to_live_s=1e9)
    uses: OrderedDict[str, None] = OrderedDict()
    for key in keys:
        hit = cache.get(key) is not None
        assert hit == (key in list(uses)[-capacity:])
        uses.pop(key, None)
        uses[key] = None
        if not hit:
            cache.put(key, b"x")
