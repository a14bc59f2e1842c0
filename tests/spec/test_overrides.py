"""Flags over the spec: the same rules, and the flag in the message."""

import pytest

from slocheck.documents.position import Position
from slocheck.errors import UsageError
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource
from slocheck.spec.loader import parse_spec, with_overrides
from slocheck.spec.model import AUTO, Overrides
from tests.builders.good_spec import GOOD, good

PROMETHEUS = GOOD[GOOD.index("prometheus:") : GOOD.index("workload:")]
QUERY = GOOD[GOOD.index("  queue:") : GOOD.index("gate:")]


def test_no_flag_changes_nothing() -> None:
    """The spec is unchanged."""
    assert with_overrides(good(), Overrides()) == good()


def test_flags_replace_values() -> None:
    """Each flag replaces its own key and nothing else."""
    spec = with_overrides(
        good(),
        Overrides(
            target="https://shop.example/api/",
            prometheus="http://prom:9090",
            gate="gold",
            scenario="/tmp/other.py",
            users=7,
            duration=90.0,
            warmup=10.0,
        ),
    )
    assert spec.target.url == "https://shop.example/api"
    assert spec.target.instances == 2
    assert isinstance(spec.metric_source, PrometheusSource)
    assert (spec.metric_source.url, spec.metric_source.selector) == ("http://prom:9090", {"job": "shop-api"})
    assert spec.gate == "gold"
    assert (spec.workload.scenario, spec.workload.users) == ("/tmp/other.py", 7)
    assert (spec.workload.duration, spec.workload.warmup) == (90.0, 10.0)
    assert spec.workload.spawn_rate == 50.0


def test_a_default_spawn_rate_follows_users_and_warmup() -> None:
    """More users still run before the window begins."""
    spec = with_overrides(good("  spawn_rate: 50/s\n", ""), Overrides(users=1000, warmup=20.0))
    assert spec.workload.spawn_rate == 100.0


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (Overrides(target="localhost"), "--target: 'localhost' does not begin with http:// or https://"),
        (Overrides(target="http://a:hunter2@b"), "--target: has a name or password before the host"),
        (Overrides(prometheus="ftp://x"), "--prometheus: 'ftp://x' does not begin with http://"),
        (Overrides(gate="sliver"), "--gate: unknown tier 'sliver'; did you mean 'silver'?"),
        (Overrides(users=0), "--users: 0 is out of range; write 1 to 100000"),
        (Overrides(users=10_000), "--users: spawn_rate of the spec starts 10000 users in 3m20s"),
        (Overrides(warmup=1.0), "--warmup: spawn_rate of the spec starts 100 users in 2s"),
        (Overrides(duration=1.5), "--duration: 1.5s is not in whole seconds; write 2s"),
        (Overrides(duration=0.0), "--duration: 0s is out of range; write 1s to 24h"),
        (Overrides(scenario="a.js"), "--scenario: 'a.js' is not a scenario"),
        (Overrides(rate=0.0), "--rate: 0/s is out of range; write more than 0/s"),
        (
            Overrides(rate=5.0, users=5),
            "--users, --rate: one is the closed model, the other the open model; give only one of them",
        ),
    ],
)
def test_a_bad_flag_is_named(overrides: Overrides, message: str) -> None:
    """The message begins with the flag, keeps the rule's words, and shows no secret."""
    with pytest.raises(UsageError) as caught:
        with_overrides(good(), overrides)
    assert str(caught.value).startswith(message)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("page", "instance"),
    [
        ("http://127.0.0.1:8000/metrics", "127.0.0.1:8000"),
        ("http://shop/metrics", "shop:80"),
        ("https://shop/metrics", "shop:443"),
    ],
)
def test_one_scraped_page_tells_the_instance(page: str, instance: str) -> None:
    """Prometheus names a target by host and port, so the same one can be asked for there."""
    text = GOOD.replace(PROMETHEUS, f"scrape: [{page}]\n").replace(QUERY, "")
    spec = with_overrides(
        parse_spec(text.encode(), "slo.yaml"), Overrides(prometheus="http://127.0.0.1:9090")
    )
    assert spec.metric_source == PrometheusSource(
        url="http://127.0.0.1:9090",
        preset=AUTO,
        selector={"instance": instance},
        position=Position(5, 1),
    )


def test_without_a_source_nothing_says_which_series_to_take() -> None:
    """A guessed selector could grade another service."""
    text = GOOD.replace(PROMETHEUS, "").replace(QUERY, "")
    with pytest.raises(UsageError, match="does not say which series belong to the service") as caught:
        with_overrides(parse_spec(text.encode(), "slo.yaml"), Overrides(prometheus="http://p:9090"))
    assert 'prometheus: {url: "http://p:9090", selector: {job: shop-api}}' in str(caught.value)
