"""The queue in Redis: a stream of jobs, those that wait for their next attempt, and those that failed.

A job is in exactly one of the three, and moves from one to the next in one step of the server. It leaves the
stream when it is acknowledged, so the stream's length is the number of jobs that are not done.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

NAME = "slocheck:jobs"

_CONNECT_S = 1.0
_ANSWER_S = 5.0
_MOST_CONNECTIONS = 20
_MOVED_AT_ONCE = 100

_DELAY = """
local now = redis.call('TIME')
return redis.call('ZADD', KEYS[1], now[1] + now[2] / 1e6 + ARGV[2], ARGV[1])
"""
_MOVE_DUE = """
local now = redis.call('TIME')
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now[1] + now[2] / 1e6, 'LIMIT', 0, ARGV[1])
for _, job in ipairs(due) do
  redis.call('XADD', KEYS[2], '*', 'data', job)
  redis.call('ZREM', KEYS[1], job)
end
return #due
"""


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that failed for good.

    Attributes:
        id: The same for the same name and payload.
        name: Which handler.
        payload: What it was given.
        attempts: How often it was tried.
        error: What the last attempt raised.
        failed_at: Unix time in seconds.
        message: The job as it was in the stream.
    """

    id: str
    name: str
    payload: Any
    attempts: int
    error: str
    failed_at: float
    message: str


@dataclass(frozen=True, slots=True)
class State:
    """The queue at one moment.

    Attributes:
        depth: Jobs that are not done: waiting, running, or between two attempts.
        oldest_s: Seconds since the oldest job of the stream came into it; 0 if there is none.
        failed: Jobs that are kept because they failed.
    """

    depth: int
    oldest_s: float
    failed: int


class Queue:
    """The three parts of one queue.

    Args:
        redis: The server.
        name: Key of the stream; the others' begin with it.
    """

    def __init__(self, redis: Redis, name: str = NAME) -> None:
        self._redis = redis
        self.stream = name
        self._delayed = f"{name}:delayed"
        self._failed = f"{name}:failed"

    async def delay(self, message: bytes, seconds: float) -> None:
        """Keep a job for its next attempt; raises redis.RedisError."""
        await self._redis.eval(_DELAY, 1, self._delayed, message, seconds)

    async def move_due(self) -> int:
        """Put the jobs whose time has come into the stream; returns how many; raises redis.RedisError."""
        return int(await self._redis.eval(_MOVE_DUE, 2, self._delayed, self.stream, _MOVED_AT_ONCE))

    async def keep_failed(self, job: FailedJob) -> None:
        """Keep a job that failed for good; raises redis.RedisError."""
        await self._redis.hset(self._failed, job.id, json.dumps(asdict(job)))

    async def failed(self) -> list[FailedJob]:
        """Return the jobs that failed for good, oldest first; raises redis.RedisError."""
        kept = await self._redis.hvals(self._failed)
        return sorted((FailedJob(**json.loads(text)) for text in kept), key=lambda job: job.failed_at)

    async def submit_failed(self) -> int:
        """Submit the failed jobs again, each with all its attempts; returns how many."""
        jobs = await self.failed()
        for job in jobs:
            async with self._redis.pipeline(transaction=True) as step:
                step.xadd(self.stream, {"data": job.message})
                step.hdel(self._failed, job.id)
                await step.execute()
        return len(jobs)

    async def state(self) -> State:
        """Return the state of the queue; raises redis.RedisError."""
        async with self._redis.pipeline(transaction=True) as step:
            step.xlen(self.stream)
            step.zcard(self._delayed)
            step.hlen(self._failed)
            step.xrange(self.stream, count=1)
            step.time()
            waiting, delayed, failed, oldest, (seconds, micros) = await step.execute()
        age = seconds + micros / 1e6 - int(oldest[0][0].partition(b"-")[0]) / 1_000 if oldest else 0.0
        return State(waiting + delayed, max(0.0, age), failed)


def pool_options() -> dict[str, Any]:
    """Return how connections to the queue are made: few, with short timeouts."""
    return {
        "max_connections": _MOST_CONNECTIONS,
        "timeout": _ANSWER_S,
        "socket_connect_timeout": _CONNECT_S,
        "socket_timeout": _ANSWER_S,
        "retry": Retry(NoBackoff(), 0),  # the caller decides whether to retry
    }


def connect(url: str) -> Redis:
    """Return a client; it connects when it is first used."""
    return Redis.from_pool(BlockingConnectionPool.from_url(url, **pool_options()))  # which it closes
