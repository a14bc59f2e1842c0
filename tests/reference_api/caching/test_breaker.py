"""When Redis is left alone, and when it is asked again."""

from slocheck.reference_api.caching.redis_link import Breaker


def test_after_some_failures_in_a_row_one_attempt_at_a_time_is_made() -> None:
    """Two failures change nothing; the third stops all, then one a second tries until one succeeds."""
    now = 0.0
    breaker = Breaker(failures=3, cool_down=1.0, timer=lambda: now)
    for _ in range(2):
        breaker.failed()
        assert breaker.allows()
    breaker.succeeded()
    for _ in range(2):
        breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    now = 0.999
    assert not breaker.allows()
    now = 1.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.failed()
    assert not breaker.allows()
    now = 2.0
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True] * 3
