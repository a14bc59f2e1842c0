"""One window at its exact limit: latencies, failures in outages, and rates."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from tests.simulation.many import many_rates
from tests.simulation.models import EVEN_MODELS, MODELS, SLOW_S, STALL_S, one_server, phased, stalling
from tests.simulation.outages import WANDERING, Outages
from tests.simulation.rates import CHUNK, NOMINAL, Rates, independent_rates, our_rates, windows
from tests.simulation.scrapes import SERVICES, SHARE, scraped_rates
from tests.simulation.tables import OVER, SECONDS, Table, enough_runs, exceeds, pair, percent
from tests.simulation.throughput import CLOSED_LOOPS

SHARES = {"p95": 0.05, "p99": 0.01}
CONDITIONS = (
    (Fraction(95, 100), False),
    *((Fraction(level, 1000), True) for level in (950, 990, 999)),
)
"""Level, and whether the length of the outages is stated, for each pair of columns."""
LONG_WINDOW_LEVEL = Fraction(95, 100)
"""Above it the rows of an hour are left out: they would take very long."""

BURSTS = (
    (one_server(0.5), 0.2),
    (one_server(0.8), 1.0),
    (one_server(0.95), 10.0),
    (stalling(), STALL_S),
    (phased(), SLOW_S),
)
"""Approximate length of each model's disturbances."""

LEVELS = (
    (Fraction(90, 100), False),
    *((Fraction(level, 1000), True) for level in (950, 990, 999)),
)
"""Level, and whether the length of the bursts is stated."""

CLEAR = 6
"""By this factor clear cases of scraped counters need fewer runs: their rates are high."""

HIGHEST = LEVELS[-1][0]
SMALL_CHUNK = 10
"""Windows that fit into a processor's cache: tens of thousands are drawn much faster so."""

RATE_LIMITS = {1.0: "met at the mean", 0.9: "at 90 %", 0.8: "at 80 %", 0.5: "at 50 %"}
"""Limits of a rate, relative to the true mean."""

RATE_CELLS = ((60, 1.0), (60, 0.5), (300, 1.0), (300, 0.9), (300, 0.8), (300, 0.5), (600, 1.0), (600, 0.9))
"""Window in seconds, and limit, of each column."""


def single_windows(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield a row for each model, window and percentile."""
    for number, model in enumerate((*MODELS, *EVEN_MODELS)):
        for seconds in SECONDS:
            for name, share in SHARES.items():
                rng = np.random.default_rng([seed, 1, number, seconds, round(100 * share)])
                promised, same, ours = Rates(0), Rates(0), Rates(0)
                for window in windows(model, rng, runs=runs, seconds=seconds, share=share):
                    promised += independent_rates(window, NOMINAL)
                    same += independent_rates(window, NOMINAL / 5)
                    ours += our_rates(window)
                yield [
                    model.name,
                    f"{seconds} s",
                    name,
                    *pair(promised, NOMINAL),
                    *pair(same, NOMINAL / 5),
                    *pair(ours, NOMINAL),
                ]


def outages(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for failures that come in outages, without and with a condition on their length."""
    for share in (0.001, 0.01):
        for lasts_s in (0.1, 0.5, 2.0, 10.0):
            for window_s in (300, 3600):
                model = Outages(share, lasts_s, window_s)
                row = [f"{share:.1%}", f"{lasts_s:g} s", f"{window_s} s"]
                for level, stated in CONDITIONS:
                    if level > LONG_WINDOW_LEVEL and window_s > SECONDS[-1]:
                        row += ["-", "-"]
                        continue
                    rng = np.random.default_rng([seed, 9, round(share * 1e4), round(lasts_s * 10), window_s])
                    found = model.rates(
                        rng, enough_runs(runs, float(level)), level, lasts_s if stated else 0.0
                    )
                    row += pair(found, float(1 - level), digits=2)
                yield row


def levels(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for latencies at every level, where it has to be with the length of their disturbances."""
    for number, (model, bursts_s) in enumerate(BURSTS):
        row = [model.name, f"{bursts_s:g} s"]
        for level, stated in LEVELS:
            rng = np.random.default_rng([seed, 10, number, round(1000 * level)])
            found = Rates(0)
            drawn = windows(
                model,
                rng,
                runs=enough_runs(runs, float(level)),
                seconds=SECONDS[-1],
                share=0.05,
                chunk=CHUNK if level < HIGHEST else SMALL_CHUNK,
            )
            for window in drawn:
                found += many_rates(replace(window, level=level, bursts_s=bursts_s if stated else 0.0))
            row += pair(found, float(1 - level), digits=2)
        yield row


def closed_loops(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for a rate whose offered load is not known."""
    for number, model in enumerate(CLOSED_LOOPS):
        row = [model.name]
        for seconds, limit in RATE_CELLS:
            rng = np.random.default_rng([seed, 11, number, seconds])
            met = model.rates(rng, runs, seconds, limit).met
            over = OVER if limit == 1 and exceeds(met, runs, NOMINAL) else ""
            row.append(percent(met, runs) + over)
        yield row


def counted_rates(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for a rate that a server alone counts, on a schedule of arrivals."""
    for number, model in enumerate(CLOSED_LOOPS):
        row = [model.name]
        for scrape_s in (5, 15):
            rng = np.random.default_rng([seed, 14, number, scrape_s])
            row += pair(model.rates(rng, runs, SECONDS[-1], scrape_s=scrape_s), NOMINAL)
        rng = np.random.default_rng([seed, 14, number, 0])
        yield [*row, percent(model.rates(rng, runs, SECONDS[-1], 0.9, scrape_s=5).met, runs)]


def wandering(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for a share that wanders, without and with a condition as long as its memory."""
    for number, model in enumerate(WANDERING):
        for seconds in (SECONDS[-1], 4 * SECONDS[-1]):
            window = model.windows(np.random.default_rng([seed, 15, number, seconds]), runs, seconds)
            stated = replace(window, bursts_s=model.memory_s)
            found = (pair(many_rates(one), NOMINAL) for one in (window, stated))
            yield [f"{model.share:.0%}", f"{model.memory_s:g} s", f"{seconds} s", *next(found), *next(found)]


def scrapes(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield rows for the server's counters, as a scraper sees them, alone and together with the client's."""
    for number, service in enumerate(SERVICES):
        for interval in (5.0, 15.0) if service.failing else (5.0,):
            row, draw = [service.name, f"{interval:g} s"], [seed, 13, number, round(interval)]
            found = scraped_rates(service, np.random.default_rng(draw), runs=runs, interval=interval)
            row += [*pair(found["server"], NOMINAL), *pair(found["both"], NOMINAL)]
            row.append(pair(found["gate"], NOMINAL)[1])
            for place, truth in enumerate((SHARE / 2, SHARE * 2)):
                rng = np.random.default_rng([*draw, place])
                few = -(-runs // CLEAR)
                clear = scraped_rates(service, rng, runs=few, interval=interval, truth=truth)["server"]
                row.append(percent((clear.met, clear.breached)[place], few))
            yield row


TABLES = (
    Table(
        "latency",
        "",
        [
            *("server", "window", "limit", "i.i.d. 5 %: met", "breached", "i.i.d. 1 %: met", "breached"),
            *("slocheck: met", "breached"),
        ],
        3,
        single_windows,
    ),
    Table(
        "outages",
        "Failures that come in outages, at a limit of their exact share.",
        [
            *("failed", "outages of", "window", "95 %: met", "breached"),
            *("95 %, bursts stated: met", "breached", "99 %, stated: met", "breached"),
            *("99.9 %, stated: met", "breached"),
        ],
        3,
        outages,
    ),
    Table(
        "levels",
        "Latencies at other levels, p95 in 300 s.",
        [
            *("server", "bursts", "90 %: met", "breached", "95 %, bursts stated: met", "breached"),
            *("99 %, stated: met", "breached", "99.9 %, stated: met", "breached"),
        ],
        2,
        levels,
    ),
    Table(
        "rates",
        "Rates in the closed model: per cent of runs that meet a limit at the true mean, which is false,\n"
        "and limits of 90, 80 and 50 % of it.",
        ["served", *(f"{seconds} s: {RATE_LIMITS[limit]}" for seconds, limit in RATE_CELLS)],
        1,
        closed_loops,
    ),
    Table(
        "counted-rates",
        "Rates that a server alone counts, in 300 s: at a limit of the true mean, and of 90 % of it.",
        [
            *("served", "scrapes each 5 s: met", "breached", "each 15 s: met", "breached"),
            "5 s: at 90 %",
        ],
        1,
        counted_rates,
    ),
    Table(
        "wandering",
        "A share of bad requests that wanders, at a limit of its mean; the bursts stated are as long as its\n"
        "memory.",
        ["bad", "memory", "window", "95 %: met", "breached", "95 %, bursts stated: met", "breached"],
        3,
        wandering,
    ),
    Table(
        "scrapes",
        "The server's counters in 300 s, p95, by a histogram without a status label: `source: prometheus`,\n"
        "and `source: both`. The last two columns are clear cases, a sixth as many runs: half of the\n"
        "limit, and twice as much.",
        [
            *("bad requests", "scrapes each", "prometheus: met", "breached", "both: met", "breached"),
            *("gate fails", "half: met", "twice: breached"),
        ],
        2,
        scrapes,
    ),
)
