"""Charts over time: latency, load, statuses, cache hits, all on the same time axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.reporters.html.charts import lines, svg
from slocheck.reporters.html.charts.clock import Clock
from slocheck.reporters.html.charts.lines import LOOKS, LegendEntry, LimitLine, area_key, line_key
from slocheck.reporters.html.charts.svg import BOTTOM, TOP, Drawing, Linear, Log
from slocheck.reporters.html.charts.timeline import Counts, Floats, Timeline, decimated
from slocheck.reporters.text import latency_text, percentile_name
from slocheck.spec.model import IndicatorKind, Spec
from slocheck.spec.model.load_profile import expected_arrivals

HEIGHT, LOW_HEIGHT = 300, 220
_LEAST_NS = 1000
_HEADROOM = 1.15
_PERCENT = 100
_LANE = 12
_MOST_POINTS = 600
MOST_STATUSES = 6

_ANSWERED = ("#5d9fd0", "answered")
_NO_RESPONSE, _OTHER = 0, -1
_STATUS_COLOURS = {
    2: ("#3d87c4", "#74aedb", "#1f5f92"),
    3: ("#5c6bc0", "#8b96d6", "#3c4a9c"),
    4: ("#ad1f7a", "#cf62a6", "#7d0f55"),
    5: ("#b3261e", "#dd5f57", "#7d130d"),
    _NO_RESPONSE: ("#3b2a63", "#3b2a63", "#3b2a63"),
    _OTHER: ("#00705a", "#00705a", "#00705a"),
}


@dataclass(frozen=True, slots=True)
class Axes:
    """What all charts over time have in common.

    Attributes:
        time: The run second by second.
        clock: Of the run.
        warmup_s: Length of the warm-up.
    """

    time: Timeline
    clock: Clock
    warmup_s: int

    @property
    def x(self) -> Linear:
        """The time axis."""
        return svg.time_scale(len(self.time) * self.time.step)

    def draw(self, height: int) -> Drawing:
        """Return the time axis with the phases."""
        return svg.time_axis(self.x, height, self.clock) + svg.warmup(self.x, self.warmup_s, height)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its legend."""

    drawing: Markup
    keys: tuple[LegendEntry, ...] = ()


def latency_limits(spec: Spec, endpoint: object = None) -> list[LimitLine]:
    """Return the limits of the latency objectives on an endpoint, or on all requests, in ns."""
    return [
        limit
        for objective in lines.objectives_on(spec, IndicatorKind.LATENCY, endpoint)
        for limit in lines.limit_lines(
            [objective], spec, scale=NS_PER_SECOND, prefix=f"{percentile_name(lines.quantile_of(objective))} "
        )
    ]


def latency_chart(
    axes: Axes, limits: Sequence[LimitLine], tiers: Sequence[str], *, name: str = "latency", of: str = ""
) -> Chart:
    """Return the percentiles over time; each limit is a line that names its percentile.

    Args:
        axes: The columns that are drawn.
        limits: In nanoseconds.
        tiers: Of the spec, loosest first.
        name: Id of the chart.
        of: The endpoint; empty: all requests.
    """
    time, bottom = axes.time, HEIGHT - BOTTOM
    known = [float(value) for column in time.quantiles.values() for value in column if not math.isnan(value)]
    values = [*known, *(limit.value for limit in limits)] or [float(NS_PER_SECOND)]
    low = max(_LEAST_NS, 0.7 * min(values))
    y = Log(low, max(_HEADROOM * max(values), 4 * low), bottom, TOP)
    looks = dict(zip(time.quantiles, LOOKS, strict=False))
    ends = {quantile: lines.last_of(time.quantiles[quantile]) for quantile in looks}
    named = ", ".join(looks)
    drawing = svg.together(
        [
            svg.value_axis(y, [latency_text(value) for value in y.ticks()], "latency, logarithmic"),
            axes.draw(HEIGHT),
            lines.draw_limits(limits, y, tiers, bottom=bottom),
            *(
                lines.curve(time.quantiles[quantile], time, axes.x, y, look, most=_MOST_POINTS)
                for quantile, look in looks.items()
            ),
            lines.end_names({q: y(end) for q, end in ends.items() if end is not None}, bottom=bottom),
        ]
    )
    description = (
        f"{named} of the successful requests{f' to {of}' if of else ''} of each second, on a logarithmic "
        f"axis; limits: {', '.join(limit.name for limit in limits) or 'none'}."
    )
    title = f"Latency of {of} over time" if of else "Latency over time"
    chart = svg.chart(name, title, description, drawing, height=HEIGHT)
    return Chart(chart, tuple(line_key(look, quantile) for quantile, look in looks.items()))


def load_chart(axes: Axes, spec: Spec) -> Chart:
    """Return what was planned, sent and answered each second, with a row of marks for failures by class."""
    time = axes.time
    classes = [failure for failure in FailureClass if time.counts[str(failure)].any()]
    height = LOW_HEIGHT + _LANE * len(classes)
    bottom = LOW_HEIGHT - BOTTOM
    planned = planned_arrivals(time, spec)
    tops = [float(time.counts["sent"].max()), *([] if planned is None else [float(planned.max())])]
    y = svg.count_scale(max(tops), bottom)
    sent, plan = LOOKS[0], LOOKS[1]
    parts = [
        svg.value_axis(y, [f"{value:,.0f}" for value in y.ticks()], _per(time)),
        axes.draw(LOW_HEIGHT),
        area(axes, time.counts["answered"], None, y, colour=_ANSWERED[0], css=_ANSWERED[1]),
        lines.stroke(svg.line(lines.steps(time.counts["sent"], time, axes.x, y, most=_MOST_POINTS)), sent),
    ]
    keys = [line_key(sent, "sent"), area_key(*_ANSWERED, "answered")]
    if planned is not None:
        parts.append(lines.curve(planned, time, axes.x, y, plan, most=_MOST_POINTS))
        keys.append(line_key(plan, "planned arrivals"))
    parts += [_lane(axes, time.counts[kind], kind, number) for number, kind in enumerate(map(str, classes))]
    shown = ", ".join(map(str, classes)) or "none"
    description = (
        "Requests sent in each second, and how many of them were answered"
        f"{', next to the planned arrivals' if planned is not None else ''}. "
        f"Below the axis a mark for each moment with a failure, a row for each class: {shown}."
    )
    drawn = svg.chart("load", "Load over time", description, svg.together(parts), height=height)
    return Chart(drawn, tuple(keys))


def planned_arrivals(time: Timeline, spec: Spec) -> Floats | None:
    """Return how many arrivals the plan has in each row; None in the closed model."""
    stages = spec.workload.rate
    if not stages:
        return None
    step = time.step
    return np.asarray([expected_arrivals(stages, second, second + step) for second in time.seconds.tolist()])


def _per(time: Timeline) -> str:
    return "requests per second" if time.step == 1 else f"requests in {time.step} s"


def area(axes: Axes, top: Counts, floor: Counts | None, y: Linear, *, colour: str, css: str) -> Drawing:
    """Return a filled area between two columns, flat across each row."""
    time = axes.time
    upper = lines.steps(top, time, axes.x, y, most=_MOST_POINTS)
    lower = (
        [(axes.x(0), y(0)), (axes.x(axes.x.high), y(0))]
        if floor is None
        else lines.steps(floor, time, axes.x, y, most=_MOST_POINTS)
    )
    data = svg.line([*upper, *reversed(lower)]) + "Z"
    return svg.path(data, css=css, fill=colour, fill_opacity=0.85, stroke=colour, stroke_width=0.5)


def _lane(axes: Axes, found: Counts, name: str, number: int) -> Drawing:
    """Return a row of marks below the axis: a single request is too low to be seen above it."""
    y = LOW_HEIGHT + _LANE * number
    kept = decimated(found, _MOST_POINTS)
    x, step = axes.x, axes.time.step
    marks = "".join(f"M{x(axes.time.seconds[row].item() + step / 2):.1f},{y}v8" for row in kept if found[row])
    return svg.path(marks, css="failed-mark", stroke="#b3261e", stroke_width=2) + svg.label(
        name, 0, y + 9, css="scale"
    )


@dataclass(frozen=True, slots=True)
class _Band:
    """One status of the stacked chart."""

    name: str
    counts: Counts
    colour: str
    css: str


def status_chart(axes: Axes) -> Chart | None:
    """Return the responses of each second stacked by status code; None if no status is known."""
    bands = _bands(axes.time)
    if not bands:
        return None
    tops = np.cumsum([band.counts for band in bands], axis=0)
    y = svg.count_scale(float(tops[-1].max()), LOW_HEIGHT - BOTTOM)
    rare = [band for band in bands[::-1] if not band.css.startswith("s2")]
    floors = [None, *tops[:-1]]
    drawing = svg.together(
        [
            svg.value_axis(y, [f"{value:,.0f}" for value in y.ticks()], _per(axes.time)),
            axes.draw(LOW_HEIGHT),
            *(
                area(axes, top, floor, y, colour=band.colour, css=band.css)
                for band, top, floor in zip(bands, tops, floors, strict=True)
            ),
        ]
    )
    listed = ", ".join(band.name for band in bands)
    drawing += svg.together(_lane(axes, band.counts, band.name, n) for n, band in enumerate(rare))
    description = (
        f"Requests of each second by status, stacked from the axis up: {listed}. Below the axis a row of "
        "marks for each status that is not 2xx."
    )
    height = LOW_HEIGHT + _LANE * len(rare)
    chart = svg.chart("statuses", "Statuses over time", description, drawing, height=height)
    keys = (area_key(band.colour, band.css, f"{band.name} ({band.counts.sum():,})") for band in bands)
    return Chart(chart, tuple(keys))


def _bands(time: Timeline) -> list[_Band]:
    """Return the rarest statuses first, so that they lie on the axis; beyond a number they become one."""
    most = sorted(time.statuses, key=lambda status: (-int(time.statuses[status].sum()), status))
    kept, rest = most[:MOST_STATUSES], most[MOST_STATUSES:]
    found, used = [], dict.fromkeys(_STATUS_COLOURS, 0)
    for status in kept:
        family = status // 100 if status // 100 in _STATUS_COLOURS else _OTHER
        family = _NO_RESPONSE if not status else family
        number = used[family] % len(_STATUS_COLOURS[family])
        used[family] += 1
        name = str(status) if status else "no response"
        css = f"s{family}{number}" if family > 0 else "s-none" if not status else "s-other"
        found.append(_Band(name, time.statuses[status], _STATUS_COLOURS[family][number], css))
    if rest:
        summed = np.sum([time.statuses[status] for status in rest], axis=0)
        found.append(_Band(f"{len(rest)} other statuses", summed, _STATUS_COLOURS[_OTHER][0], "s-other"))
    return found[::-1]


def cache_chart(axes: Axes, spec: Spec) -> Chart | None:
    """Return the cache hit rate over time by response headers; None if no header said hit or miss."""
    time = axes.time
    rate = hit_rates(time)
    if np.isnan(rate).all():
        return None
    limits = lines.limit_lines(lines.objectives_on(spec, IndicatorKind.CACHE_HIT_RATE), spec)
    lowest = min([float(np.nanmin(rate)), *(limit.value for limit in limits)])
    bottom = LOW_HEIGHT - BOTTOM
    y = Linear(max(0, math.floor(lowest * 10 - 0.5) / 10), 1, bottom, TOP)
    look = LOOKS[2]
    drawing = svg.together(
        [
            svg.value_axis(y, [f"{value * _PERCENT:.0f}%" for value in y.ticks()], "cache hit rate"),
            axes.draw(LOW_HEIGHT),
            lines.draw_limits(limits, y, spec.tiers, bottom=bottom),
            lines.curve(rate, time, axes.x, y, look, most=_MOST_POINTS),
        ]
    )
    description = (
        "Share of cache hits among the responses of each second whose header says hit or miss; "
        f"limits: {', '.join(limit.name for limit in limits) or 'none'}."
    )
    chart = svg.chart("cache", "Cache hit rate over time", description, drawing, height=LOW_HEIGHT)
    return Chart(chart, (line_key(look, "cache hit rate"),))


def hit_rates(time: Timeline) -> Floats:
    """Return the share of cache hits of each row; NaN if no header said hit or miss."""
    hits = time.counts["hits"]
    lookups = hits + time.counts["misses"]
    rates: Floats = np.divide(hits, lookups, out=np.full(len(hits), np.nan), where=lookups > 0)
    return rates
