"""What ``/metrics`` shows: this process's metrics, or those of all processes behind the port as one.

With several workers each keeps its values in files of one folder (``PROMETHEUS_MULTIPROC_DIR``, which
`prometheus_client` reads when it is imported), and whichever is asked adds them up. The naive form shows the
counters of the one worker that was asked: they jump from scrape to scrape, and a rate over them is wrong.

In production: one process per target, each scraped directly and added up by a query.
"""

import os
from collections.abc import Iterator

import psutil
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def page_registry(own: CollectorRegistry) -> CollectorRegistry:
    """Return what to show: `own`, or with several workers the sums of all."""
    if FOLDER not in os.environ:
        return own
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # typed in part
    registry.register(_Group(os.getppid()))
    return registry


class _Group(Collector):
    """The process metrics of the workers added up, with their parent's start."""

    def __init__(self, parent: int) -> None:
        self._parent = psutil.Process(parent)

    def collect(self) -> Iterator[Metric]:
        """Yield start, CPU, memory and descriptors."""
        seconds = resident = descriptors = 0.0
        for process in (self._parent, *self._parent.children()):
            try:
                times = process.cpu_times()
                seconds += times.user + times.system
                resident += process.memory_info().rss
                descriptors += process.num_fds()
            except psutil.NoSuchProcess:
                continue
        yield GaugeMetricFamily(
            "process_start_time_seconds", "Start of the parent.", self._parent.create_time()
        )
        yield CounterMetricFamily("process_cpu_seconds", "CPU time of all workers.", seconds)
        yield GaugeMetricFamily("process_resident_memory_bytes", "Memory of all workers.", resident)
        yield GaugeMetricFamily("process_open_fds", "Open descriptors of all workers.", descriptors)
