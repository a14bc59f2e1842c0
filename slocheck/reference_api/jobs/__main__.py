"""``python -m slocheck.reference_api.jobs``: a worker of the shop, or the list of failed jobs.

A worker prints one line of JSON once it takes jobs, and ends on INT or TERM; with ``--end-with-stdin`` also
when its standard input ends.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from contextlib import AsyncExitStack
from dataclasses import asdict

from prometheus_client import start_http_server
from redis.exceptions import RedisError

from slocheck.errors import UsageError
from slocheck.reference_api.background import meanwhile
from slocheck.reference_api.jobs.backoff import Retries
from slocheck.reference_api.jobs.broker import ABANDONED_AFTER_S, StreamBroker
from slocheck.reference_api.jobs.queue import Queue, connect
from slocheck.reference_api.jobs.relay import OVERDUE_AFTER_S, relay
from slocheck.reference_api.jobs.submitting import RedisJobs
from slocheck.reference_api.jobs.worker import JobWorkerOptions, work
from slocheck.reference_api.observability.metrics import Metrics
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.followups import given_up_in, handlers_of
from slocheck.reference_api.stack.programs import HOST
from slocheck.reference_api.stored import open_repository


def main(arguments: list[str] | None = None) -> int:
    """Work until it is told to end; returns the exit code, 2 if it cannot start."""
    options = parser().parse_args(arguments)
    try:
        if options.failed or options.submit_failed:
            asyncio.run(_failed(options.redis, again=options.submit_failed))
        else:
            asyncio.run(_work(options))
    except UsageError as error:
        say(error=str(error))
        return 2
    except RedisError as error:
        say(error=f"--redis: {error}")
        return 2
    return 0


def say(**line: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """Return the parser of all options."""
    made = argparse.ArgumentParser(
        prog="python -m slocheck.reference_api.jobs", description="A worker of the reference API."
    )
    made.add_argument("--redis", metavar="URL", required=True, help="where the queue is")
    made.add_argument("--database", metavar="URL", default="", help="the shop's database")
    made.add_argument("--items", type=int, default=Settings().items, help="of a shop that is still empty")
    made.add_argument("--concurrency", type=int, default=5, help="most jobs at the same time")
    made.add_argument("--attempts", type=int, default=3, help="how often a job is tried")
    made.add_argument("--delay", type=float, default=1.0, help="wait after the first attempt, seconds")
    made.add_argument(
        "--abandoned-after",
        type=float,
        default=ABANDONED_AFTER_S,
        help="when the job of a dead worker is handed to another, seconds",
    )
    made.add_argument(
        "--overdue-after",
        type=float,
        default=OVERDUE_AFTER_S,
        help="when an order's job is submitted again, seconds",
    )
    made.add_argument("--metrics-port", type=int, default=0, help="where its metrics are; 0: nowhere")
    made.add_argument("--host", default=HOST, help="address of its metrics; in a container 0.0.0.0")
    made.add_argument(
        "--end-with-stdin", action="store_true", help="end when standard input ends, as for a parent process"
    )
    made.add_argument("--failed", action="store_true", help="print the jobs that failed for good, and end")
    made.add_argument("--submit-failed", action="store_true", help="submit them again, and end")
    return made


async def _failed(url: str, *, again: bool) -> None:
    """Print one line of JSON for each failed job, or how many were submitted again."""
    async with connect(url) as redis:
        queue = Queue(redis)
        if again:
            say(submitted=await queue.submit_failed())
            return
        for job in await queue.failed():
            say(**{name: value for name, value in asdict(job).items() if name != "message"})


async def _work(options: argparse.Namespace) -> None:
    if not options.database:
        raise UsageError("--database: a worker needs the shop's database; write its address")
    metrics = Metrics()
    stop = _stop_event(with_stdin=options.end_with_stdin)
    async with AsyncExitStack() as parts:
        settings = Settings(database_url=options.database, redis_url=options.redis, items=options.items)
        repository = await open_repository(settings, metrics.pool)
        parts.push_async_callback(repository.close)
        followups = repository.followups
        jobs = RedisJobs(StreamBroker(options.redis))
        parts.push_async_callback(jobs.close)
        await parts.enter_async_context(
            meanwhile(relay(followups, jobs, overdue_after_s=options.overdue_after))
        )
        if options.metrics_port:
            start_http_server(options.metrics_port, options.host, metrics.registry)
        say(working=os.getpid())
        await work(
            options.redis,
            handlers_of(followups),
            given_up_in(followups),
            options=JobWorkerOptions(
                concurrency=options.concurrency,
                retries=Retries(options.attempts, options.delay),
                abandoned_after_s=options.abandoned_after,
            ),
            metrics=metrics.jobs,
            stop=stop,
        )


def _stop_event(*, with_stdin: bool) -> asyncio.Event:
    """Return an event that a signal sets, or the end of stdin if asked."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop.set)

    def end_with_stdin() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    if with_stdin:
        threading.Thread(target=end_with_stdin, daemon=True).start()
    return stop


if __name__ == "__main__":
    sys.exit(main())
