"""What the gate needs of an objective, its verdict, and the level that stands for it in reports."""

import pytest

from slocheck.grading.assessment import LevelResult, ObjectiveResult, Verdict
from slocheck.grading.tiers import level_names_needed, strictest_needed
from tests.builders.specs import make_spec

MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED
LIMITS = {"bronze": "500ms", "silver": "200ms", "gold": "100ms", "target": "50ms", "critical": "900ms"}


def _result(verdicts: dict[str, Verdict], gate: str = "silver") -> ObjectiveResult:
    """An objective with these levels, loosest tier first, as the spec orders them."""
    limits = ", ".join(f'{level}: "< {LIMITS[level]}"' for level in verdicts)
    spec = make_spec(f"  latency_p95: {{{limits}}}\n  latency_p50: {{silver: '< 1s'}}\n")
    objective = spec.objectives[0]
    needed = level_names_needed(gate, spec.tiers)
    return ObjectiveResult(
        objective,
        tuple(
            LevelResult(name, limit, verdicts[name], "", (), name in needed)
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
    """Over the tiers up to the gate and critical."""
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
