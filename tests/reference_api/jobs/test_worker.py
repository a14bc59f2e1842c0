"""Jobs through a real Redis: attempts, failed jobs, dead workers, and a lost queue."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from slocheck.reference_api.jobs import QueueUnavailable
from slocheck.reference_api.jobs.__main__ import main
from slocheck.reference_api.jobs.backoff import Retries
from slocheck.reference_api.jobs.broker import StreamBroker
from slocheck.reference_api.jobs.queue import Queue, State, connect
from slocheck.reference_api.jobs.submitting import RedisJobs
from slocheck.reference_api.jobs.worker import JobWorkerOptions, work
from slocheck.reference_api.observability.metrics import JobMetrics
from slocheck.reference_api.shop.repository import Row
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import free_port
from slocheck.reference_api.stack.redis import redis_url, start_redis
from tests.reference_api.database.shop import reach
from tests.reference_api.jobs.doing import Doing

OPTIONS = JobWorkerOptions(concurrency=3, retries=Retries(3, 0.05), abandoned_after_s=60)
SOON = replace(OPTIONS, abandoned_after_s=1)
"""For jobs of dead workers; on a busy machine, one of a live worker may be taken over and done twice."""

DIES = """
import asyncio, sys
from prometheus_client import CollectorRegistry
from slocheck.reference_api.jobs.worker import JobWorkerOptions, work
from slocheck.reference_api.observability.metrics import JobMetrics

async def hang(job):
    print(job["number"], flush=True)
    await asyncio.Event().wait()

async def note(name, job):
    raise AssertionError("it is killed before")

asyncio.run(work(sys.argv[1], {"do": hang}, note, options=JobWorkerOptions(),
                 metrics=JobMetrics(CollectorRegistry()), stop=asyncio.Event()))
"""
"""A worker that takes a job, says so, and hangs in it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A queue and what a test checks about it.

    Attributes:
        url: Of Redis.
        redis: A client of the test's own.
        queue: The queue's state.
        jobs: Takes jobs.
        doing: What the handlers did.
        registry: What the workers counted.
        metrics: In that registry.
    """

    url: str
    redis: Redis
    queue: Queue
    jobs: RedisJobs
    doing: Doing
    registry: CollectorRegistry
    metrics: JobMetrics

    @asynccontextmanager
    async def worker(self, options: JobWorkerOptions = OPTIONS) -> AsyncIterator[None]:
        """Let a worker work during the block."""
        stop = asyncio.Event()
        handlers = {"do": self.doing.do, "wait": self.doing.wait}
        works = work(self.url, handlers, self.doing.note, options=options, metrics=self.metrics, stop=stop)
        working = asyncio.create_task(works)
        try:
            yield
        finally:
            stop.set()
            await working

    async def is_done(self) -> bool:
        """Say whether no job is open."""
        return (await self.queue.state()).depth == 0

    async def died_with(self, job: Row, *, times: int) -> None:
        """Submit a job and take it like a worker that died, and not the first one."""
        await self.jobs.submit("do", job)
        stream = self.queue.stream
        taken: Any = await self.redis.xreadgroup(stream, "dead", {stream: ">"}, count=1)
        await self.redis.xclaim(stream, stream, "dead", 0, [taken[0][1][0][0]], retrycount=times)

    def ends(self) -> dict[str, float]:
        """Return how often attempts of ``do`` ended in each way."""
        labels = [{"name": "do", "outcome": name} for name in ("done", "retried", "failed")]
        values = [self.registry.get_sample_value("jobs_total", each) or 0.0 for each in labels]
        return dict(zip(("done", "retried", "failed"), values, strict=True))


Use = Callable[[Bench], Awaitable[None]]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Keep what the tests start."""
    with Servers() as kept:
        yield kept


@pytest.fixture(scope="module")
def redis(servers: Servers) -> Server:
    """Start a Redis."""
    return start_redis(servers)


def use(server: Server, steps: Use) -> None:
    """Run the steps with an empty queue."""

    async def run() -> None:
        url, registry = redis_url(server), CollectorRegistry()
        jobs = RedisJobs(StreamBroker(url))
        try:
            async with connect(url) as client:
                await client.flushall()
                await steps(Bench(url, client, Queue(client), jobs, Doing(), registry, JobMetrics(registry)))
        finally:
            await jobs.close()

    asyncio.run(run())


def test_jobs_are_tried_again_and_failed_ones_are_kept(
    redis: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """One succeeds, one at its third attempt, one never, one has no handler.

    The failed ones are shown with their reason, and done after they are submitted again.
    """
    url = redis_url(redis)

    async def fail(bench: Bench) -> None:
        for number, fails in enumerate((0, 2, 3)):
            await bench.jobs.submit("do", {"number": number, "fails": fails})
        await bench.jobs.submit("nobody does this", {"number": 3})
        assert (await bench.queue.state()).depth == 4
        async with bench.worker():
            await reach(bench.is_done, "all ended")
        assert sorted(bench.doing.done) == [0, 1]
        assert bench.doing.tries == {0: 1, 1: 3, 2: 3}
        assert bench.ends() == {"done": 2, "retried": 4, "failed": 1}
        assert sorted(bench.doing.given_up) == [("do", 2), ("nobody does this", 3)]
        assert (await bench.queue.state()).failed == 2
        await asyncio.to_thread(main, ["--redis", url, "--failed"])
        shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        known = {(job["name"], job["payload"]["number"], job["attempts"], job["error"]) for job in shown}
        assert known == {
            ("do", 2, 3, "ValueError: attempt 3"),
            ("nobody does this", 3, 3, "LookupError: no handler of that name"),
        }
        await asyncio.to_thread(main, ["--redis", url, "--submit-failed"])
        assert json.loads(capsys.readouterr().out) == {"submitted": 2}
        async with bench.worker():
            await reach(bench.is_done, "all ended again")
        assert 2 in bench.doing.done
        assert [job.name for job in await bench.queue.failed()] == ["nobody does this"]

    use(redis, fail)


def test_a_worker_does_a_few_at_a_time_and_the_state_is_known(redis: Server) -> None:
    """Three of ten jobs submitted before there was a worker run; the others wait their turn."""

    async def steps(bench: Bench) -> None:
        for number in range(10):
            await bench.jobs.submit("wait", {"number": number})

        async def full() -> bool:
            return bench.doing.most == OPTIONS.concurrency

        async with bench.worker():
            await reach(full, "three run")
            state = await bench.queue.state()
            assert (state.depth, state.failed) == (10, 0)
            assert state.oldest_s > 0
            bench.doing.release.set()
            await reach(bench.is_done, "all are done")
        assert bench.doing.most == OPTIONS.concurrency
        assert sorted(bench.doing.done) == list(range(10))
        assert await bench.queue.state() == State(depth=0, oldest_s=0, failed=0)

    use(redis, steps)


def test_the_job_of_a_killed_worker_is_done_by_another(redis: Server) -> None:
    """Also if no other job comes. A job that killed every worker is kept, not handed out again."""

    async def steps(bench: Bench) -> None:
        await bench.jobs.submit("do", {"number": 1})
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DIES, bench.url, stdout=asyncio.subprocess.PIPE
        )
        assert victim.stdout is not None
        try:
            assert await victim.stdout.readline() == b"1\n"
        finally:
            victim.kill()
            await victim.wait()
        assert not await bench.is_done()
        async with bench.worker(SOON):
            await reach(bench.is_done, "it is done")
        assert set(bench.doing.done) == {1}

        await bench.died_with({"number": 2}, times=3)
        async with bench.worker(SOON):
            await reach(bench.is_done, "it is given up")
        assert set(bench.doing.done) == {1}
        assert bench.doing.given_up == [("do", 2)]
        assert [job.error for job in await bench.queue.failed()] == ["the worker died with it each time"]

    use(redis, steps)


def test_a_worker_outlives_its_redis(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    """With Redis full or gone no job is accepted; the same worker continues once it is back, or empty.

    Each outage gets one line when it begins, and one when it is over.
    """
    server = start_redis(servers, "mortal")

    def says(text: str) -> Callable[[], Awaitable[bool]]:
        async def said() -> bool:
            return text in caplog.text

        return said

    async def steps(bench: Bench) -> None:
        async with bench.worker():
            await bench.jobs.submit("do", {"number": 1})
            await reach(bench.is_done, "the first is done")
        await bench.died_with({"number": 2}, times=3)
        await bench.redis.config_set("maxmemory-policy", "noeviction")
        await bench.redis.config_set("maxmemory", "1")
        async with bench.worker(SOON):
            with pytest.raises(QueueUnavailable, match="maxmemory"):
                await bench.jobs.submit("do", {"number": 3})
            await reach(says("fails: command not allowed"), "the worker cannot keep what failed")
            await bench.redis.config_set("maxmemory", "0")
            await reach(bench.is_done, "it is given up")
            await asyncio.to_thread(server.kill)
            with pytest.raises(QueueUnavailable, match="Redis"):
                await bench.jobs.submit("do", {"number": 3})
            await asyncio.to_thread(start_redis, servers, "mortal", port=server.port)
            await bench.jobs.submit("do", {"number": 4})

            async def fourth() -> bool:
                return set(bench.doing.done) == {1, 4}

            await reach(fourth, "the fourth is done")
        assert bench.doing.given_up == [("do", 2)]

    use(server, steps)
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("the queue")]
    # connections that it has closed may be noticed later, one at a time
    assert ["works" in line for line in said] == ([False, True] * 9)[: max(4, len(said))], said


def test_a_worker_that_cannot_start_says_why(redis: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2, and the line names the option."""
    assert main(["--redis", redis_url(redis)]) == 2
    assert "--database" in json.loads(capsys.readouterr().out)["error"]
    assert main(["--redis", f"redis://127.0.0.1:{free_port()}/0", "--failed"]) == 2
    assert "--redis" in json.loads(capsys.readouterr().out)["error"]
