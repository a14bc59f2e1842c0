"""What the metrics of other jobs say: lookups in a cache, replicas that serve."""

from fractions import Fraction

from slocheck.indicators.samples import Display, NoData, Share, Slices
from slocheck.indicators.server.growth.counts import counted
from slocheck.indicators.server.growth.scrape_targets import target_name
from slocheck.indicators.server.growth.selections import pinned
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.series_queries import UP
from slocheck.spec.model import Preset, Spec
from slocheck.spec.model.related_jobs import CacheCounters, Replicas

DIFFERS = Fraction(1, 20)
"""Replicas and instances with traffic that differ by more than this share are noted."""
_UNKNOWN = "how many instances served is not known; write it as target.instances"
MOST_SHOWN = 4


def _counters(spec: Spec, preset: Preset) -> CacheCounters | None:
    """Return the cache's counters: of another job, or the preset's own."""
    if spec.related_jobs.cache:
        return spec.related_jobs.cache
    if preset.cache_hits and preset.cache_misses:
        return CacheCounters(preset.cache_hits, preset.cache_misses, {})
    return None


def cache_sample(spec: Spec, server: ServerSide) -> Share | NoData:
    """Share of lookups that missed; lookups need not be requests, so there is nothing to reconcile."""
    counters = _counters(spec, server.preset)
    if counters is None:
        return NoData(f"{server.preset.title} has no cache counters")

    wanted = pinned(counters.selector)
    hits, misses = (server.window_count(metric, wanted) for metric in (counters.hits, counters.misses))
    if flags := hits.flags | misses.flags:
        named = ", ".join(sorted(flag.value for flag in flags))
        return NoData(f"the cache counters are incomplete ({named})")
    total = round(hits.total() + misses.total())
    if total == 0:
        return NoData(f"{counters.hits} and {counters.misses} counted no lookups in the window")
    slots = counted((*hits.parts, *misses.parts), server.raw.scrape_interval).slots
    bad = misses.slices_in(slots)
    n = tuple(hit + miss for hit, miss in zip(hits.slices_in(slots), bad, strict=True))
    share = Fraction(round(misses.total()), total)
    shown = Display(float(1 - share), float(1 - share))
    notes = []
    if counters.selector:
        notes.append("the cache counts the lookups of all its clients, not of this service alone")
        before = sum(server.growth_before_load(metric, wanted) for metric in (counters.hits, counters.misses))
        if before:
            notes.append(f"{round(before):,} lookups came before the load: others use this cache")
    return Share(total, share, share, shown, Slices(n, bad, slice_s=server.raw.scrape_interval), tuple(notes))


def instance_count(spec: Spec, server: ServerSide, busy: Fraction) -> Fraction | NoData:
    """Return the instances that served: as the spec says, as the replicas gauge says, or as the series show.

    Args:
        spec: Its ``target.instances`` is None if they are to be counted.
        server: With the replicas' gauge, if the spec names one.
        busy: Processes with traffic, on average.
    """
    if spec.target.instances is not None:
        return Fraction(spec.target.instances)
    replicas = _replicas(spec)
    if replicas is None:
        why = _not_countable(server)
        return NoData(why) if why else busy
    mean = _mean(server, replicas)
    return mean or NoData(f"{replicas.metric} has no samples in the window: check replicas.selector")


def _not_countable(server: ServerSide) -> str:
    """Say why the request counter does not show how many instances served; empty if it does.

    Recording rules, relabelling and federation may add up instances, or give all of them one name.
    """
    metric = server.preset.counter or ""
    labels = [one.labels for one in server.series_of(metric)]
    exported = {one["exported_instance"] for one in labels if one.get("exported_instance")}
    if len(exported) > 1:
        shown = ", ".join(sorted(exported)[:MOST_SHOWN])
        return f"{metric} has several values of exported_instance ({shown}): {_UNKNOWN}"
    ups = (one for one in server.series_of(UP) if one.labels.get("instance") and 1 in one.values)
    scraped = {target_name(one.labels) for one in ups}
    if len(scraped) > 1 and labels and not any(one.get("instance") for one in labels):
        return f"{metric} has no label instance, and {len(scraped)} targets are scraped: {_UNKNOWN}"
    return ""


def replica_notes(spec: Spec, server: ServerSide, busy: Fraction) -> tuple[str, ...]:
    """Say if replicas and instances with traffic differ: some were idle, or some are not scraped.

    A written number that is too small makes each instance look faster than it is.
    """
    replicas, written = _replicas(spec), spec.target.instances
    if written is not None and busy - written > DIFFERS * written:
        return (f"target.instances is {written}, but {float(busy):.3g} instances show traffic",)
    mean = _mean(server, replicas) if replicas and written is None else None
    if not mean or abs(mean - busy) <= DIFFERS * mean:
        return ()
    return (f"{float(mean):.3g} replicas were available, {float(busy):.3g} instances show traffic",)


def _replicas(spec: Spec) -> Replicas | None:
    return spec.related_jobs.replicas


def _mean(server: ServerSide, replicas: Replicas) -> Fraction | None:
    """Return the gauge's mean over the window, summed over its series; None without a sample."""
    total, wanted = Fraction(0), pinned(replicas.selector)
    for one in server.series_of(replicas.metric):
        inside = [
            Fraction(value)
            for time, value in zip(one.times, one.values, strict=True)
            if wanted(one.labels) and server.raw.start <= time <= server.raw.end
        ]
        total += sum(inside, Fraction(0)) / len(inside) if inside else 0
    return total or None
