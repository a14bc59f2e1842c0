"""What workers cost the master and the command line: ``python -m tests.benchmarks.workers``.

Reports of simulated workers, each of 20 endpoints in the open model, are made once by real recorders and
signed as a worker signs them; each machine passes on what its workers report, be it one or ten, as one. The
master's part is to verify, read, check and add them up, for all together and for each machine, to tell each
machine that it is there, and to tell the command line of each second. Sockets are left out: see
`tests.benchmarks.curve`. CPU is that of this process, not the time that passed.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from slocheck.evidence.histogram import bucket_indices
from slocheck.evidence.merge import Delta, RecordingBuilder
from slocheck.load.machine.merger import ReportMerger
from slocheck.load.master.collector import Collector
from slocheck.load.master.load_model import master_model
from slocheck.load.messaging import locust_messages, protocol
from slocheck.load.messaging.machine_messages import Pong
from slocheck.load.messaging.messages import (
    ArrivalCounts,
    HealthSamples,
    SecondPassed,
    WorkerReport,
)
from slocheck.load.messaging.reports import ArrivedReport
from slocheck.load.messaging.signing import Signer
from slocheck.load.recording.lags import Lags
from slocheck.load.recording.recorder import Recorder
from slocheck.spec.model.load_profile import Stage
from tests.builders.load_plans import make_plan

S = 1_000_000_000
ENDPOINTS = 20
RATES = (2_000, 10_000)
PROCESSES = (1, 10)
"""Worker processes of a machine."""
DIFFERENT = 8
"""Distinct reports per second; the workers use them in turn."""
SECONDS = 4
THRESHOLDS = tuple(ms * 1_000_000 for ms in (1, 2, 5, 10, 20, 50, 100, 200, 250, 500, 1000, 2000, 5000))
WINDOW = range(3600)
"""The seconds of the window; the measured ones are its last."""
SIMULATED = 500
TOKEN = bytes(32)
PLAN = make_plan(
    "http://127.0.0.1:1", "browse.yaml", rate=(Stage(1, 1, len(WINDOW)),), thresholds_ns=THRESHOLDS
)


def delta(rate: int, second: int, seed: int) -> Delta:
    """Return what one worker records in a second: latencies around 20 ms, and how late requests were sent."""
    draw = np.random.default_rng(seed)
    recorder = Recorder(THRESHOLDS, warmup_s=len(WINDOW))
    for number in range(ENDPOINTS):
        counter = recorder.counter("GET", f"/things/{number}")
        for ns in (draw.lognormal(3.0, 0.6, rate // ENDPOINTS) * 1e6).astype(np.int64).tolist():
            start = second * S + number
            counter.ok(start, start, start + ns, 200, 512, cache=0)
            counter.service(start, ns - 40_000)
    return recorder.flush()


def lag(count: int, around_ns: float, seed: int) -> dict[int, int]:
    """Return a histogram of that many delays."""
    draw = np.random.default_rng(seed)
    keys, counts = np.unique(
        bucket_indices((draw.exponential(around_ns, count)).astype(np.int64)), return_counts=True
    )
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def reports(rate: int, workers: int) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the signed messages of each second, with their workers' names."""
    signers = [Signer(TOKEN) for _ in range(workers)]
    for number in range(SECONDS):
        second = WINDOW[-SECONDS] + number
        drawn = [
            WorkerReport(
                sequence=number + 1,
                final=False,
                delta=delta(rate, second, seed),
                running=50,
                open=3,
                in_flight=0,
                unrecorded=0,
                last_end_ns=1,
                health=HealthSamples(
                    cpu=((second, 0.3),), users={second: 50}, loop_lag={second: lag(20, 2e5, seed)}
                ),
                arrivals=ArrivalCounts(lag=Lags.of({second: lag(rate, 1e5, seed)})),
            )
            for seed in range(DIFFERENT)
        ]
        encoded = [protocol.encode(report) for report in drawn]
        yield [
            (str(worker), signer.sign(packed(str(worker), encoded[worker % DIFFERENT])))
            for worker, signer in enumerate(signers)
        ]


def packed(worker: str, plain: list[object]) -> bytes:
    """Return a message of a worker as the bytes that are signed."""
    return locust_messages.packed((locust_messages.SLOCHECK, plain, worker))


def spent(act: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    begun = time.process_time()
    act()
    return time.process_time() - begun


class Master:
    """The master's part, and that of the command line."""

    def __init__(self, workers: int, processes: int) -> None:
        """Begin with nothing."""
        self._signer = Signer(TOKEN)
        self.collector = Collector(
            [str(worker) for worker in range(workers)],
            master_model(PLAN),
            planned_users=50,
            window=WINDOW,
            thresholds=len(THRESHOLDS),
            machines={str(worker): str(worker // processes) for worker in range(workers)},
        )
        self.builder = RecordingBuilder(THRESHOLDS)
        self.line = b""

    def take_all(self, bodies: list[bytes]) -> None:
        """Take the messages of a second; the machines are told that they came."""
        for body in bodies:
            line = self._signer.verify(body)
            assert line is not None
            report = protocol.decode_to_coordinator(line, "a machine")
            assert isinstance(report, ArrivedReport)
            self._signer.sign(protocol.encode_line(Pong()))
            self.collector.add_together(report, now=0.0)

    def tick(self, second: int) -> None:
        """Tell the command line of a second."""
        passed = SecondPassed(second, "window", 50, self.collector.take())
        self.line = protocol.encode_line(passed)

    def hear(self) -> None:
        """Take what the master tells, as the command line does."""
        passed = protocol.decode_progress(self.line)
        assert isinstance(passed, SecondPassed)
        for each in passed.deltas:
            self.builder.add_delta(each)
        self.builder.recording(0, len(WINDOW))


class Machines:
    """Machines that pass on what their workers report, as one message each."""

    def __init__(self, workers: int, processes: int) -> None:
        """Divide the workers among machines."""
        self._processes = processes
        self._signers = [(Signer(TOKEN), Signer(TOKEN)) for _ in range(0, workers, processes)]

    def pass_on(self, messages: list[tuple[str, bytes]]) -> list[bytes]:
        """Return the machines' messages of a second."""
        found = []
        for number, (local, signer) in enumerate(self._signers):
            merger = ReportMerger()
            for worker, body in messages[number * self._processes : (number + 1) * self._processes]:
                message = locust_messages.open_message(local, [worker.encode(), body])
                assert message is not None
                report = protocol.decode_worker_message(message.data, worker)
                assert isinstance(report, WorkerReport)
                merger.add(worker, report, 0.0)
                merger.beat(worker, "running")
            found.append(signer.sign(protocol.encode_packed(merger.take(0.0))))
        return found


def measure(rate: int, workers: int, processes: int) -> tuple[float, ...]:
    """Return the cost of a second: kB of a message; CPU seconds to read all, to encode it, to decode it."""
    master, machines, found = Master(workers, processes), Machines(workers, processes), []
    for number, reported in enumerate(reports(rate, workers)):
        messages = machines.pass_on(reported)
        reading = spent(partial(master.take_all, messages))
        telling = spent(partial(master.tick, WINDOW[-SECONDS] + number + 1))
        found.append((len(messages[0]) / 1000, reading, telling, spent(master.hear)))
    return tuple(np.median(np.array(found[1:]), axis=0).tolist())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=SIMULATED, help="simulated workers")
    count = parser.parse_args().workers
    speed = spent(lambda: sum(range(10_000_000))) * 1000
    print(f"adding up ten million numbers takes this machine {speed:,.0f} ms of CPU at the moment")  # noqa: T201 - its output
    print(f"{count} workers of {ENDPOINTS} endpoints: CPU in ms of one second, at the end of an hour")  # noqa: T201 - as above
    heads = ("on a machine", "kB a message", "read and add", "tell", "command line", "all", "workers a core")
    print(f"{'rate':>8}", *(f"{head:>15}" for head in heads))  # noqa: T201 - as above
    for rate, processes in product(RATES, PROCESSES):
        size, *parts = measure(rate, count, processes)
        cells = (size, *(part * 1000 for part in (*parts, sum(parts))), count / sum(parts[:2]))
        print(f"{rate:>6}/s", f"{processes:>15}", *(f"{cell:>15,.1f}" for cell in cells), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
