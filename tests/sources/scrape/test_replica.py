"""One process or several: what the sequence of pages shows."""

import ssl

import pytest

from slocheck.sources.credentials import read_credentials
from slocheck.sources.scrape.exposition import PageSample, SeriesId
from slocheck.sources.scrape.replica import Replica, Scrape, several_processes
from slocheck.sources.scrape.source import instances
from slocheck.spec.model import Auth

FELL = "fell"


def pages(*told: float | str | None) -> list[Scrape]:
    """Return scrapes: a start time, None without one, FELL where counters fell without one."""
    return [
        Scrape(at, at + 0.1, start_time=one if isinstance(one, float) else None, fell=one == FELL)
        for at, one in enumerate(told)
    ]


@pytest.mark.parametrize(
    ("scrapes", "several"),
    [
        pytest.param(pages(5.0, 5.0, 5.0), False, id="one process"),
        pytest.param(pages(5.0, 5.0, 99.0, 99.0), False, id="a restart"),
        pytest.param(pages(5.0, 99.0, 200.0), False, id="two restarts"),
        pytest.param(pages(5.0, 99.0, 5.0), True, id="back to the first"),
        pytest.param(pages(5.0, 9.0, 99.0, 9.0), True, id="back to another"),
        pytest.param(pages(5.0, 5.01, 5.0), True, id="two workers started at nearly the same time"),
        pytest.param(pages(5.0, 5.001, 5.002, 5.003), False, id="an exporter that recomputes its start"),
        pytest.param(pages(None, FELL, None), False, id="a restart that only the counters tell"),
        pytest.param(pages(None, FELL, None, FELL), True, id="counters fall twice"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_several_processes(scrapes: list[Scrape], several: bool) -> None:
    """A restart is fine; an older start after a younger one is not."""
    assert bool(several_processes(scrapes)) is several


def test_a_fall_with_each_restart_is_no_sign() -> None:
    """Counters fall once a restart."""
    scrapes = [Scrape(at, at, start_time=at * 10.0, fell=at > 0) for at in range(4)]
    assert several_processes(scrapes) == ""


def _page(**values: float) -> list[PageSample]:
    return [PageSample(SERIES[name], value, None) for name, value in values.items()]


SERIES = {name: SeriesId("requests", {"route": name}) for name in ("a", "b")}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        pytest.param(
            [_page(a=9, b=9), _page(a=10), _page(a=11), _page(a=12, b=1)], "", id="a lost label set"
        ),
        pytest.param(
            [_page(a=9, b=1), _page(a=10), _page(a=11, b=1), _page(a=12), _page(a=12, b=1)],
            "came back unchanged twice",
            id="two pages in turn",
        ),
        pytest.param(
            [_page(a=9, b=9), _page(a=3), _page(a=9, b=9), _page(a=3)],
            "its counters fell twice with 0 restarts",
            id="counters that fall",
        ),
        pytest.param([_page(a=9, b=9), [], _page(a=3)], "", id="a restart to an empty page"),
        pytest.param([_page(a=9), [], _page(a=9), []], "fell twice", id="an empty page in turn"),
    ],
)
def test_counters_without_total_are_counters(told: list[list[PageSample]], why: str) -> None:
    """The preset's counter may be named `requests`; a label set that is dropped is not another process."""
    replica = Replica(
        "http://h/m",
        "h:80",
        queries=(),
        counters=frozenset({"requests"}),
        context=ssl.create_default_context(),
        credentials=read_credentials(Auth(), where="scrape.auth"),
    )
    for at, samples in enumerate(told):
        replica._keep(samples, float(at), at + 0.1)
    found = several_processes(replica.scrapes())
    assert why in found if why else found == ""


def test_failed_scrapes_say_nothing() -> None:
    """A gap has no start time."""
    assert several_processes([*pages(5.0), Scrape(9, 9, error="gone"), *pages(5.0)]) == ""


@pytest.mark.parametrize(
    ("urls", "names"),
    [
        pytest.param(["http://a:8000/metrics", "http://b/metrics"], ("a:8000", "b:80"), id="host and port"),
        pytest.param(["https://a/metrics"], ("a:443",), id="the scheme's port"),
        pytest.param(["http://[::1]:9/m"], ("[::1]:9",), id="IPv6"),
        pytest.param(
            ["http://a/1/metrics", "http://a/2/metrics"], ("a:80/1/metrics", "a:80/2/metrics"), id="paths"
        ),
        pytest.param(["http://user:pw@a:1/metrics"], ("a:1",), id="user info is left out"),
    ],
)
def test_instances(urls: list[str], names: tuple[str, ...]) -> None:
    """Every replica has its own name, and no secret is in it."""
    assert instances(urls) == names


@pytest.mark.parametrize(
    ("begin", "end", "straddles"),
    [
        pytest.param(2.0, 2.0, True, id="inside"),
        pytest.param(1.0, 1.0, False, id="began at it"),
        pytest.param(3.0, 3.0, False, id="ended at it"),
        pytest.param(0.0, 0.5, False, id="before"),
        pytest.param(0.5, 1.5, True, id="across the begin"),
        pytest.param(2.5, 9.0, True, id="across the end"),
    ],
)
def test_straddling(begin: float, end: float, straddles: bool) -> None:
    """A page read somewhere between 1 and 3 may be from before or after a moment between them."""
    assert Scrape(1.0, 3.0).straddles(begin, end) is straddles
