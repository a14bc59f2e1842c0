"""Targets of one job with the same instance: by which of their labels they can be told apart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from slocheck.evidence.series import RawSeries
from slocheck.indicators.server.growth.scrape_targets import target_name
from slocheck.plan.series_queries import UP

_MORE = " ("


def told_apart(series: Sequence[RawSeries]) -> Sequence[RawSeries]:
    """Return the series with an ``instance`` that only one target has, as in ``host-1 (pod=shop-0)``.

    Relabelling may give several processes the name of their host, or leave two scrape configurations of one
    process with the same name. Targets that follow each other keep their name.
    """
    ups: defaultdict[str, list[RawSeries]] = defaultdict(list)
    for one in series:
        if one.metric == UP and one.times:
            ups[target_name(one.labels)].append(one)
    differing = {name: _differing(each) for name, each in ups.items() if _overlap(each)}
    if not differing:
        return series
    return tuple(_renamed(one, differing.get(target_name(one.labels), ())) for one in series)


def original_instance(name: str) -> str:
    """Return the ``instance`` that a target had before `told_apart`, by its name."""
    return name.partition(_MORE)[0].rpartition("/")[2]


def job_of(name: str) -> str:
    """Return the job of a target, by its name."""
    return name.partition(_MORE)[0].rpartition("/")[0]


def pinning_labels(name: str) -> str:
    """Return the labels that `told_apart` named a target by, as slo.yaml writes them; empty without any."""
    return name.partition(_MORE)[2].removesuffix(")").replace("=", ": ")


def _overlap(ups: Sequence[RawSeries]) -> bool:
    return any(
        one.times[0] <= other.times[-1] and other.times[0] <= one.times[-1]
        for one, other in combinations(ups, 2)
    )


def _differing(ups: Iterable[RawSeries]) -> tuple[str, ...]:
    """Return the labels that not all of these series have with the same value."""
    labels = [one.labels for one in ups]
    names = sorted({name for each in labels for name in each})
    return tuple(name for name in names if len({each.get(name, "") for each in labels}) > 1)


def _renamed(one: RawSeries, differing: Sequence[str]) -> RawSeries:
    named = _values(one.labels, differing)
    if not named:
        return one
    instance = f"{one.labels.get('instance', '')}{_MORE}{named})"
    return replace(one, labels={**one.labels, "instance": instance})


def _values(labels: Mapping[str, str], names: Iterable[str]) -> str:
    return ", ".join(f"{name}={labels[name]}" for name in names if name in labels)
