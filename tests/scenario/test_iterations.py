"""The values of iterations: which process gets them, how often they occur, and how they are shared."""

import uuid
from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from slocheck.scenario.compile.iterations import BLOCK
from tests.builders.scenarios import GOOD, compiled

Iteration = tuple[int, list[object]]

FEEDERS = {
    "zipf": "zipf: {from: 1, to: 1000}",
    "range": "range: {from: 5, to: 9}",
    "random range": "range: {from: 5, to: 9}, order: random",
    "list": "list: [a, 1, true, null]",
    "random list": "list: [a, 1, true, null], order: random",
    "csv": "csv: accounts.csv",
    "uuid": "uuid: 4",
    "random": "random: {from: 0, to: 999999999999999}",
}


def drawn(text: str, count: int, *, seed: int = 1, index: int = 0, processes: int = 1) -> list[Iteration]:
    """Return a process's first iterations."""
    draws = compiled(text).iterations(seed=seed, index=index, processes=processes)
    return list(islice(draws, count))


def one_feeder(feeder: str, name: str = "v") -> str:
    """Return a scenario that asks for the JSON encoding of one feeder's values."""
    column = ".email" if "csv" in feeder else ""
    return f'feeders: {{{name}: {{{feeder}}}}}\nflows: [{{steps: [{{post: /, json: "{{{name}{column}}}"}}]}}]'


def values(feeder: str, count: int, *, name: str = "v", seed: int = 1) -> list[object]:
    """Return what one feeder feeds."""
    return [value for _, (value,) in drawn(one_feeder(feeder, name), count, seed=seed)]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**64), processes=st.integers(2, 5), extra=st.integers(0, 50))
def test_processes_share_the_iterations_of_one(seed: int, processes: int, extra: int) -> None:
    """Taken in turn, the iterations of several processes are those of a single one, across blocks."""
    rounds = BLOCK + extra
    alone = drawn(GOOD, rounds * processes, seed=seed)
    shares = [drawn(GOOD, rounds, seed=seed, index=index, processes=processes) for index in range(processes)]
    assert [one for group in zip(*shares, strict=True) for one in group] == alone


@pytest.mark.parametrize("feeder", FEEDERS.values(), ids=FEEDERS.keys())
def test_every_kind_is_shared(feeder: str) -> None:
    """The property holds for each kind of feeder by itself."""
    text = one_feeder(feeder)
    shares = [drawn(text, 1500, index=index, processes=2) for index in range(2)]
    assert [one for pair in zip(*shares, strict=True) for one in pair] == drawn(text, 3000)


def test_flows_are_shared_and_random_by_weight() -> None:
    """The choice of flows follows the weights: three of four here."""
    text = "flows: [{weight: 3, steps: [{get: /}]}, {steps: [{get: /}]}, {weight: 0.5, steps: [{get: /}]}]"
    flows = [flow for flow, _ in drawn(text, 45_000)]
    counts = Counter(flows)
    assert chisquare([counts[0], counts[1], counts[2]], [30_000, 10_000, 5_000]).pvalue > 0.001
    assert all(values == [] for _, values in drawn(text, 10))


def test_the_seed_decides() -> None:
    """The same seed gives the same values, another one others, and large seeds are seeds, too."""
    assert drawn(GOOD, 100) == drawn(GOOD, 100)
    assert len({tuple(map(str, drawn(GOOD, 100, seed=seed))) for seed in (0, 1, 2, 2**32, 2**32 + 1)}) == 5


@pytest.mark.parametrize("kind", ["zipf", "random range", "random list", "uuid", "random"])
def test_feeders_are_independent_of_each_other(kind: str) -> None:
    """Two feeders of one kind differ by their names."""
    feeder = FEEDERS[kind]
    assert values(feeder, 200, name="a") != values(feeder, 200, name="b")


def test_a_feeder_does_not_depend_on_what_else_there_is() -> None:
    """Another feeder or flow changes nothing in the draws of this one."""
    alone = values("random: {from: 1, to: 1000000}", 100)
    text = (
        "feeders: {u: {uuid: 4}, v: {random: {from: 1, to: 1000000}}}\n"
        'flows: [{steps: [{post: "/{u}", json: "{v}"}]}, {steps: [{get: /}]}]'
    )
    assert [row[0] if isinstance(row[0], int) else row[1] for _, row in drawn(text, 100)] == alone


@pytest.mark.parametrize(
    ("feeder", "expected"),
    [
        ("range: {from: 5, to: 7}", [5, 6, 7, 5, 6, 7, 5]),
        ("list: [a, 1, true, null]", ['"a"', 1, "true", "null", '"a"', 1, "true"]),
        ("csv: accounts.csv", ['"a@example.org"', '"b@example.org"'] * 3 + ['"a@example.org"']),
    ],
)
def test_sequences_go_round(feeder: str, expected: list[object]) -> None:
    """Iteration i has the value of place i modulo their number, across blocks too."""
    assert values(feeder, 7) == expected
    period = len(set(map(str, expected)))
    long = values(feeder, BLOCK + period + 1)
    assert all(value == expected[place % period] for place, value in enumerate(long))


def test_a_huge_range_is_not_held_in_memory() -> None:
    """A thousand billion numbers cost nothing until they are drawn."""
    feeder = "range: {from: 0, to: 999999999999999}"
    assert values(feeder, 3) == [0, 1, 2]
    far = values(f"{feeder}, order: random", 1000)
    assert len(set(far)) == 1000
    assert all(isinstance(value, int) and 0 <= value < 10**15 for value in far)


@pytest.mark.parametrize("exponent", ["0.5", "1", "2.5"])
def test_zipf_has_the_exact_distribution(exponent: str) -> None:
    """Frequencies of the ranks against r ** -s over the sum, by chi-square."""
    count = 100_000
    found = Counter(values(f"zipf: {{from: 11, to: 60, exponent: {exponent}}}", count))
    weights = [rank ** -float(exponent) for rank in range(1, 51)]
    expected = [count * weight / sum(weights) for weight in weights]
    # ranks that are expected too rarely for the test's approximation are taken together
    often = sum(1 for number in expected if number >= 10)
    observed = [found[11 + place] for place in range(50)]
    grouped = [[*row[:often], sum(row[often:])] if often < 50 else row for row in (observed, expected)]
    assert sum(observed) == count
    assert chisquare(*grouped).pvalue > 0.001


@pytest.mark.parametrize("feeder", ["random: {from: 1, to: 6}", "list: [1, 2, 3, 4, 5, 6], order: random"])
def test_random_order_is_uniform(feeder: str) -> None:
    """Each value is as frequent as any other, both ends included."""
    counts = Counter(map(str, values(feeder, 60_000)))
    assert set(counts) == {"1", "2", "3", "4", "5", "6"}
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_successive_draws_are_independent() -> None:
    """Pairs of neighbours are as frequent as chance has it."""
    dice = values("random: {from: 1, to: 4}", 64_000)
    pairs = Counter(zip(dice[::2], dice[1::2], strict=True))
    assert chisquare([pairs[a, b] for a in range(1, 5) for b in range(1, 5)]).pvalue > 0.001


def test_uuids_are_version_4_and_differ() -> None:
    """As the standard library reads them."""
    found = values("uuid: 4", 3000)
    assert len(set(found)) == 3000
    for text in found:
        parsed = uuid.UUID(str(text))
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)


def test_draws_stay_the_same_from_version_to_version() -> None:
    """A run that is repeated years later with its seed sends the same requests."""
    assert values("zipf: {from: 1, to: 1000}", 8, seed=7) == [401, 39, 61, 7, 20, 10, 11, 1]
    assert values("random: {from: 1, to: 1000}", 8, seed=7) == [942, 235, 788, 707, 981, 243, 45, 60]
    assert values("uuid: 4", 1, seed=7) == ["e0c56126-cbfb-46a5-90a8-1b9de19c872a"]
    flows = [flow for flow, _ in drawn(GOOD, 20, seed=7)]
    assert flows == [0, 1, *[0] * 9, 1, *[0] * 4, 1, 1, 0, 0]


def test_lists_of_values_are_fresh() -> None:
    """What a check captures into one iteration's values is in no other's."""
    (_, first), (_, second) = drawn(GOOD, 2)
    first[:] = ["gone"] * len(first)
    assert second == drawn(GOOD, 2)[1][1]
