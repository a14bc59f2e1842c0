"""A `LoadTestShape` translated to stages of the spec, from which slocheck takes the load."""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import ceil
from typing import Any

from locust import LoadTestShape

LONGEST_S = 24 * 3600
MOST_STAGES = 60
_PATIENCE_S = 5.0

Tick = tuple[float, float]
"""Users to reach, and how many of them to start or stop per second."""


class ShapeError(Exception):
    """A shape cannot be translated to stages; the text says why."""


def stages_of(shape: LoadTestShape) -> str:
    """Return the stages that replace a shape, as the spec writes them; raises ShapeError.

    The shape is called for each second as Locust would call it, on a simulated clock, and has to return the
    same when it is called again; otherwise its ticks depend on more than the time since the start.
    """
    ticks = _ticks(shape)
    if not ticks:
        raise ShapeError("it ends at once")
    if ticks != _ticks(shape):
        raise ShapeError("its ticks depend on more than the run time")
    levels = _levels(ticks)
    stages = _exact(levels)
    if len(stages) > MOST_STAGES:
        stages = list(_sampled(levels, ceil(len(levels) / MOST_STAGES)))
    return f"[{', '.join(stages)}]"


def _ticks(shape: LoadTestShape) -> list[Tick]:
    """Call the shape for every second until it ends."""
    elapsed, until = 0, time.monotonic() + _PATIENCE_S
    shape.get_run_time = lambda: float(elapsed)  # type: ignore[method-assign] # a clock that we turn
    ticks: list[Tick] = []
    while elapsed < LONGEST_S:
        try:
            tick: Any = shape.tick()
        except Exception as error:
            raise ShapeError(
                f"tick() asks for more than the run time ({type(error).__name__}: {error})"
            ) from error
        if tick is None:
            return ticks
        if len(tick) > 2 and tick[2]:  # noqa: PLR2004 - the third part names user classes
            raise ShapeError("it chooses user classes by time")
        ticks.append((float(tick[0]), float(tick[1])))
        elapsed += 1
        if time.monotonic() > until:
            break
    raise ShapeError("it does not end by itself")


def _levels(ticks: Sequence[Tick]) -> list[int]:
    """Return the users at the end of each second: Locust moves to the requested number at its rate."""
    users, levels = 0.0, list[int]()
    for target, rate in ticks:
        step = max(rate, 0.0)
        users = min(target, users + step) if users < target else max(target, users - step)
        levels.append(round(users))
    return levels


def _exact(levels: Sequence[int]) -> list[str]:
    """Return a stage for each period in which the number of users is constant or changes linearly."""
    changes = [after - before for before, after in zip([0, *levels], levels, strict=False)]
    level, found = 0, list[tuple[str, int, int]]()
    for change, group in groupby(changes):
        seconds = len(list(group))
        level += change * seconds
        kind = "to" if change and seconds > 1 else "users"
        if kind == "users" and found and found[-1][:2] == (kind, level):
            seconds += found.pop()[2]
        found.append((kind, level, seconds))
    return [f"{{{kind}: {users}, for: {seconds}s}}" for kind, users, seconds in found]


def _sampled(levels: Sequence[int], every: int) -> Iterator[str]:
    """Yield linear stages of this many seconds."""
    for begin in range(0, len(levels), every):
        part = levels[begin : begin + every]
        yield f"{{to: {part[-1]}, for: {len(part)}s}}"
