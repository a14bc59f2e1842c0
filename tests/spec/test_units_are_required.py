"""Every duration, rate and ratio carries its unit, in every key of a spec and of a scenario."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from slocheck.errors import SpecError
from slocheck.scenario.loader import load_scenario
from slocheck.spec.blocks.validity import VALIDITY_KEYS
from slocheck.spec.loader import parse_spec

SPEC = """\
service: shop
target: {url: "http://127.0.0.1:8000", instances: 2}
prometheus: {url: "http://127.0.0.1:9090", preset: prom-client, selector: {job: shop}, timeout: 30s}
workload: {scenario: a.yaml, rate: [{to: 50/s, for: 10s}, {rate: 50/s, for: 2m}], warmup: 5s, drain: 20s}
tiers: [gold]
objectives:
  latency_p95: {gold: "< 500ms"}
  error_rate: {gold: "< 0.1%"}
  availability: {gold: ">= 99.9%"}
  cache_hit_rate: {gold: "> 90%"}
  rps_per_instance: {gold: ">= 500/s"}
  queue: {indicator: {promql: "max(queue_depth)", over: max}, gold: "< 100"}
gate: gold
confidence: {level: 95%, bursts: 1s}
validity:
  min_sent: 99%
  steady: true
  max_generator_cpu: 90%
  max_loop_lag: 20ms
  max_stall: 1s
  max_schedule_lag: 50ms
  max_lag_share: 10%
  max_exceptions: 0
  max_unexpected: 1%
  max_generator_failures: 0
  min_window: 99%
  max_unrecorded: 0
  max_clock_skew: 1s
  max_clock_jump: 1s
  min_slices: 10
  max_scrape_gap: 2
"""
STAGES = "rate: [{to: 50/s, for: 10s}, {rate: 50/s, for: 2m}], warmup: 5s"
CLOSED = SPEC.replace(STAGES, "users: 9, spawn_rate: 2/s, duration: 9s, warmup: 10s")
CONSTANT = SPEC.replace(STAGES, "rate: 9/s, duration: 9s, warmup: 5s").replace(
    "{level: 95%, bursts: 1s}", "95%"
)
SCENARIO = """\
think: 1s..3s
timeout: 30s
flows:
  - steps:
      - {get: /, think: 500ms, timeout: 5s}
"""
QUANTITY = re.compile(r"(?<![\w.])([0-9.]+)(ms|s|m|/s|%)(?![\w])")


def without_one_unit(text: str) -> Iterator[tuple[str, str]]:
    """Yield the text without the unit of each quantity in it, and what was bare."""
    for found in QUANTITY.finditer(text):
        line = text[: found.start()].count("\n") + 1
        yield f"{text[: found.end(1)]}{text[found.end() :]}", f"line {line}: {found[0]}"


def refusal(text: str) -> str:
    """Return why a spec is refused; empty if it is not."""
    try:
        parse_spec(text.encode(), "slo.yaml", environment={})
    except SpecError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("text", [SPEC, CLOSED, CONSTANT])
def test_a_bare_number_is_refused_in_every_key_of_a_spec(text: str) -> None:
    """The message says what to write; counts and limits of queries stay bare."""
    assert refusal(text) == ""
    for broken, what in without_one_unit(text):
        assert re.search("has no unit; write|has no percent sign; write", refusal(broken)), what


def test_the_table_has_every_key_of_validity() -> None:
    """A new key is checked as well."""
    written = {line.split(":")[0].strip() for line in SPEC.split("validity:")[1].splitlines() if line}
    assert {key.name for key in VALIDITY_KEYS} == written


def test_a_bare_number_is_refused_in_every_key_of_a_scenario(tmp_path: Path) -> None:
    """Including the range of a pause."""
    path = tmp_path / "a.yaml"
    path.write_text(SCENARIO)
    load_scenario(path, {})
    for broken, what in without_one_unit(SCENARIO.replace("1s..3s", "1s")):
        path.write_text(broken)
        with pytest.raises(SpecError) as caught:
            load_scenario(path, {})
        assert "has no unit; write" in str(caught.value), what
    for pause in ("1..3s", "1s..3", "1..3", "3"):
        path.write_text(SCENARIO.replace("1s..3s", pause))
        with pytest.raises(SpecError):
            load_scenario(path, {})


@pytest.mark.parametrize("level", ["0", "0.5"])
def test_a_bare_stage_is_refused_also_at_0(level: str) -> None:
    """`0/s` has to be written."""
    assert "has no unit" in refusal(SPEC.replace("to: 50/s", f"to: {level}"))
    assert refusal(SPEC.replace("to: 50/s", "to: 0/s")) == ""
