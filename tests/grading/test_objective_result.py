"""What the gate needs of an objective, its verdict, and the level that represents it in reports."""

from dataclasses import replace

import pytest

from slocheck.grading.assessment import LevelResult, ObjectiveResult, Side, SideResult, Verdict
from slocheck.grading.sides import implied
from slocheck.grading.tiers import level_names_needed, strictest_needed, strictest_tested
from tests.builders.specs import make_spec

MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED
LIMITS = {"bronze": "500ms", "silver": "200ms", "gold": "100ms", "target": "50ms", "critical": "900ms"}


def _alone(verdict: Verdict) -> tuple[SideResult, ...]:
    return (SideResult(Side.CLIENT, verdict, None, 100),)


def _result(verdicts: dict[str, Verdict], gate: str = "silver") -> ObjectiveResult:
    """An objective with these levels, loosest tier first, as the spec orders them."""
    limits = ", ".join(f'{level}: "< {LIMITS[level]}"' for level in verdicts)
    spec = make_spec(f"  latency_p95: {{{limits}}}\n  latency_p50: {{silver: '< 1s'}}\n")
    objective = spec.objectives[0]
    needed = level_names_needed(gate, spec.tiers)
    return ObjectiveResult(
        objective,
        tuple(
            LevelResult(name, limit, verdicts[name], "", _alone(verdicts[name]), name in needed)
            for name, limit in objective.limits.items()
        ),
    )


@pytest.mark.parametrize(
    ("verdicts", "verdict", "shown"),
    [
        pytest.param({"bronze": MET, "silver": MET, "gold": BREACHED}, MET, "silver", id="gold is beyond"),
        pytest.param({"bronze": BREACHED, "silver": BREACHED}, BREACHED, "silver", id="the strictest breach"),
        pytest.param({"bronze": UNDECIDED, "silver": BREACHED}, BREACHED, "silver", id="a breach is worst"),
        pytest.param({"bronze": MET, "silver": UNDECIDED}, UNDECIDED, "silver", id="undecided beats met"),
        pytest.param({"silver": BREACHED, "critical": BREACHED}, BREACHED, "silver", id="a tier comes first"),
        pytest.param({"silver": MET, "critical": BREACHED}, BREACHED, "critical", id="only critical"),
        pytest.param({"silver": MET, "target": BREACHED}, MET, "silver", id="a target fails no gate"),
        pytest.param({"gold": BREACHED, "target": BREACHED}, None, "gold", id="nothing is needed"),
        pytest.param({"gold": MET, "target": BREACHED}, None, "target", id="the worst that is not needed"),
    ],
)
def test_verdict_and_level_shown(verdicts: dict[str, Verdict], verdict: Verdict | None, shown: str) -> None:
    """The worst over the tiers up to the gate and critical."""
    result = _result(verdicts)
    assert result.verdict is verdict
    assert result.shown.level == shown


@pytest.mark.parametrize(
    ("levels", "gate", "strictest"),
    [
        pytest.param(("bronze", "silver", "gold"), "silver", "silver", id="the gate's own"),
        pytest.param(("bronze", "gold", "critical"), "silver", "bronze", id="a looser tier"),
        pytest.param(("gold", "critical"), "silver", "critical", id="critical alone"),
        pytest.param(("gold", "target"), "silver", None, id="none"),
    ],
)
def test_the_strictest_level_that_the_gate_needs(
    levels: tuple[str, ...], gate: str, strictest: str | None
) -> None:
    """What breaks a looser level breaks this one too."""
    found = strictest_needed(_result(dict.fromkeys(levels, MET), gate))
    assert (found.level if found else None) == strictest


@pytest.mark.parametrize(
    ("levels", "tested"),
    [
        pytest.param({"bronze": BREACHED, "silver": UNDECIDED}, "bronze", id="the one that is breached"),
        pytest.param({"bronze": BREACHED, "silver": BREACHED}, "silver", id="the strictest of two"),
        pytest.param({"bronze": MET, "silver": UNDECIDED}, "silver", id="none is breached"),
        pytest.param({"bronze": MET, "gold": BREACHED}, "bronze", id="beyond the gate"),
    ],
)
def test_the_level_whose_breach_fails_the_gate(levels: dict[str, Verdict], tested: str) -> None:
    """One test per objective, and none for a level that another one already decides."""
    found = strictest_tested(_result(levels))
    assert found is not None
    assert found.level == tested


@pytest.mark.parametrize(
    ("levels", "became"),
    [
        pytest.param({"bronze": BREACHED, "silver": UNDECIDED}, [BREACHED, BREACHED], id="a looser breach"),
        pytest.param({"bronze": UNDECIDED, "silver": MET}, [MET, MET], id="a stricter limit that is kept"),
        pytest.param({"bronze": MET, "silver": UNDECIDED}, [MET, UNDECIDED], id="a looser one that is kept"),
        pytest.param(
            {"bronze": UNDECIDED, "silver": BREACHED}, [UNDECIDED, BREACHED], id="a stricter breach"
        ),
        pytest.param(
            {"bronze": BREACHED, "silver": UNDECIDED, "gold": MET},
            [BREACHED, UNDECIDED, MET],
            id="contradiction",
        ),
    ],
)
def test_a_level_follows_from_the_others(levels: dict[str, Verdict], became: list[Verdict]) -> None:
    """No objective is undecided at a limit that another of its limits decides."""
    found = _result(levels).levels
    assert [implied(level, found).verdict for level in found] == became


def test_a_breach_that_the_gate_does_not_need_decides_nothing_for_it() -> None:
    """Of a looser target, for example: the gate does not test that one."""
    target = replace(_result({"target": BREACHED}).levels[0], needed=False)
    silver = _result({"silver": UNDECIDED}).levels[0]
    stricter = replace(silver, limit=replace(silver.limit, value=target.limit.value / 2))
    assert implied(stricter, (stricter, target)).verdict is UNDECIDED
    assert implied(replace(stricter, needed=False), (stricter, target)).verdict is BREACHED


def test_what_the_client_settled_settles_no_looser_level() -> None:
    """Then the server's own numbers do not meet the stricter limit."""
    bronze, silver = _result({"bronze": UNDECIDED, "silver": MET}).levels
    open_side = SideResult(Side.SERVER, UNDECIDED, None, 100)
    settled = replace(silver, sides=(*silver.sides, open_side))
    assert implied(bronze, (bronze, settled)).verdict is UNDECIDED


@pytest.mark.parametrize(
    ("verdict", "sides", "deciding"),
    [
        pytest.param(UNDECIDED, (MET, UNDECIDED), 1, id="the second says the same"),
        pytest.param(MET, (MET, MET), 0, id="the first of both"),
        pytest.param(UNDECIDED, (MET, MET), 0, id="withheld: none says the same"),
        pytest.param(UNDECIDED, (), None, id="no side"),
    ],
)
def test_the_side_that_a_verdict_rests_on(
    verdict: Verdict, sides: tuple[Verdict, ...], deciding: int | None
) -> None:
    """The first that says the same, else the first one."""
    found = tuple(replace(_alone(each)[0], side=side) for each, side in zip(sides, Side, strict=False))
    level = replace(_result({"silver": MET}).levels[0], verdict=verdict, sides=found)
    assert level.deciding == (None if deciding is None else found[deciding])
