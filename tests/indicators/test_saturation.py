"""What processes and containers used, from raw samples."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.saturation import Usage, courses, saturation
from tests.builders.server.histories import PRESET

POD = {"job": "kubelet", "instance": "node", "pod": "api-1", "container": "api"}


def _server(*series: RawSeries) -> ServerSeries:
    return ServerSeries("prometheus", PRESET, 0.0, 10.0, 40.0, series, 10.0)


def _process(metric: str, *values: float, first: float = 0.0) -> RawSeries:
    times = tuple(first + 10.0 * number for number in range(len(values)))
    return RawSeries(metric, {"job": "api", "instance": "a:80"}, times, values)


@pytest.mark.parametrize(
    ("values", "mean", "most"),
    [
        pytest.param((0, 5, 10, 15, 20, 99), 0.5, 0.5, id="steady, and nothing from outside of the window"),
        pytest.param((0, 0, 0, 10, 20), 20 / 30, 1.0, id="idle at first"),
        pytest.param((90, 100, 4, 14, 20), 20 / 30, 1.0, id="a restart counts from 0"),
        pytest.param((0, 5, nan, 15, 20), 0.5, 0.5, id="a sample that is not a number"),
    ],
)
def test_processor_time_is_subtracted(values: tuple[float, ...], mean: float, most: float) -> None:
    """Growth between the window's own samples, over the time between the first and the last of them."""
    (usage,) = saturation(_server(_process("process_cpu_seconds_total", *values)))
    assert (usage.name, usage.memory_bytes_max, usage.throttled_ratio) == ("a:80", None, None)
    assert (usage.cpu_cores, usage.cpu_cores_max) == pytest.approx((mean, most))


def test_memory_is_the_most_of_the_window() -> None:
    """A peak before it is not the window's."""
    assert saturation(_server(_process("process_resident_memory_bytes", 900, 100, 300, 200))) == (
        Usage("a:80", None, None, 300, None),
    )


def test_a_container_tells_how_often_it_was_throttled() -> None:
    """Named after pod and container; the share is that of the scheduler's periods."""
    times = (10.0, 20.0, 30.0, 40.0)
    series = [
        RawSeries("container_cpu_usage_seconds_total", POD, times, (0, 8, 16, 24)),
        RawSeries("container_cpu_cfs_periods_total", POD, times, (0, 100, 200, 300)),
        RawSeries("container_cpu_cfs_throttled_periods_total", POD, times, (0, 0, 30, 60)),
        RawSeries("container_memory_working_set_bytes", POD, times, (5, 7, 6, 5)),
    ]
    assert saturation(_server(*series)) == (Usage("api-1/api", 0.8, 0.8, 7, 0.2),)


def test_what_is_not_there_is_not_shown() -> None:
    """No series, or a single sample of a counter: there is no value, and it is not shown as 0."""
    assert saturation(_server()) == ()
    assert saturation(_server(_process("process_cpu_seconds_total", 5, first=20.0))) == ()


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=4), st.integers(1, 50))
def test_usage_scales_and_its_mean_is_below_its_most(steps: list[int], factor: int) -> None:
    """Twice the work is twice the usage; no mean exceeds the busiest step."""
    levels = [float(sum(steps[:number])) for number in range(len(steps))]
    one = saturation(_server(_process("process_cpu_seconds_total", *levels, first=10.0)))[0]
    scaled = [factor * value for value in levels]
    many = saturation(_server(_process("process_cpu_seconds_total", *scaled, first=10.0)))[0]
    assert one.cpu_cores is not None
    assert one.cpu_cores_max is not None
    assert many.cpu_cores == pytest.approx(factor * one.cpu_cores)
    assert one.cpu_cores <= one.cpu_cores_max + 1e-12


def test_the_course_is_of_the_whole_load() -> None:
    """Cores since the sample before and memory, by seconds of the load; processes of a name add up."""
    cpu, memory = "process_cpu_seconds_total", "process_resident_memory_bytes"
    other = RawSeries(memory, {"job": "api", "instance": "a:80", "pid": "2"}, (10.0, 20.0), (1.0, 2.0))
    (found,) = courses(_server(_process(cpu, 0, 5, 10, 4), _process(memory, 7, 8, 9), other))
    assert found.name == "a:80"
    assert found.cpu_cores == ((10.0, 0.5), (20.0, 0.5), (30.0, 0.4))
    assert found.memory_bytes == ((0.0, 7.0), (10.0, 9.0), (20.0, 11.0))
