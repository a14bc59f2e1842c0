"""Jobs in the process: bounded, tried again, kept when they fail."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry

from slocheck.reference_api.jobs import QueueUnavailable, local
from slocheck.reference_api.jobs.backoff import Retries
from slocheck.reference_api.jobs.local import InTheRequest, LocalJobs
from slocheck.reference_api.observability.metrics import JobMetrics
from tests.reference_api.database.shop import reach
from tests.reference_api.jobs.doing import Doing

Use = Callable[[LocalJobs, Doing, CollectorRegistry], Awaitable[None]]


def use(steps: Use) -> None:
    """Run the steps with a fresh queue of three at a time."""

    async def run() -> None:
        registry, doing = CollectorRegistry(), Doing()
        jobs = LocalJobs(
            {"do": doing.do, "wait": doing.wait},
            doing.note,
            retries=Retries(3, 0.001),
            metrics=JobMetrics(registry),
            concurrency=3,
        )
        try:
            await steps(jobs, doing, registry)
        finally:
            await jobs.close()

    asyncio.run(run())


def test_a_job_is_tried_again_and_kept_when_it_fails_for_good() -> None:
    """One succeeds, one at its third attempt, one never: that one is kept with its reason."""

    async def steps(jobs: LocalJobs, doing: Doing, registry: CollectorRegistry) -> None:
        for number, fails in enumerate((0, 2, 9)):
            await jobs.submit("do", {"number": number, "fails": fails})

        async def ended() -> bool:
            return registry.get_sample_value("job_queue_depth") == 0

        await reach(ended, "all ended")
        assert doing.done == [0, 1]
        assert doing.tries == {0: 1, 1: 3, 2: 3}
        assert doing.given_up == [("do", 2)]
        assert list(jobs.failed) == [("do", {"number": 2, "fails": 9}, "ValueError: attempt 3")]
        labels = [{"name": "do", "outcome": name} for name in ("done", "retried", "failed")]
        assert [registry.get_sample_value("jobs_total", each) for each in labels] == [2, 4, 1]
        assert registry.get_sample_value("job_queue_failed") == 1

    use(steps)


def test_no_more_than_the_limit_run_or_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of ten jobs run; the eleventh is not accepted; shutdown does not wait for those that hang."""
    monkeypatch.setattr(local, "MOST_OPEN", 10)
    monkeypatch.setattr(local, "GRACE_S", 0.01)

    async def steps(jobs: LocalJobs, doing: Doing, registry: CollectorRegistry) -> None:
        for number in range(10):
            await jobs.submit("wait", {"number": number})

        async def full() -> bool:
            return doing.most == 3

        await reach(full, "three run")
        with pytest.raises(QueueUnavailable, match="10 jobs are open already"):
            await jobs.submit("wait", {"number": 10})
        assert registry.get_sample_value("job_queue_depth") == 10
        assert (registry.get_sample_value("job_queue_oldest_age_seconds") or 0) > 0
        await jobs.close()
        assert (doing.most, doing.done) == (3, [])
        assert registry.get_sample_value("job_queue_depth") == 0

    use(steps)


def test_in_the_naive_form_the_request_does_the_job_and_gets_its_errors() -> None:
    """There is no second attempt."""

    async def steps() -> None:
        doing = Doing()
        jobs = InTheRequest({"do": doing.do})
        await jobs.submit("do", {"number": 1})
        assert doing.done == [1]
        with pytest.raises(ValueError, match="attempt 1"):
            await jobs.submit("do", {"number": 2, "fails": 1})
        await jobs.close()

    asyncio.run(steps())
