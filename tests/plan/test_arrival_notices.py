"""When even arrivals come with a warning."""

import pytest

from slocheck.plan.arrival_notices import phase_locked
from tests.builders.plans import shop_spec

STEPS = "rate: [{{rate: {first}, for: 70s}}, {{rate: {second}, for: 60s}}], arrivals: even"
RAMPS = "rate: [{{rate: {first}, for: 10s}}, {{to: {second}, for: 60s}}], arrivals: even"


@pytest.mark.parametrize(
    ("load", "warned"),
    [
        pytest.param("rate: 80/s, duration: 2m", False, id="jittered, the default"),
        pytest.param("rate: 80/s, duration: 2m, arrivals: poisson", False, id="poisson"),
        pytest.param("rate: 80/s, duration: 2m, arrivals: even", True, id="even"),
        pytest.param("rate: 999/s, duration: 2m, arrivals: even", True, id="just below"),
        pytest.param("rate: 1000/s, duration: 2m, arrivals: even", False, id="dense"),
        pytest.param(STEPS.format(first="80/s", second="2000/s"), True, id="dense in one half only"),
        pytest.param(STEPS.format(first="2000/s", second="80/s"), True, id="dense in the other half only"),
        pytest.param(RAMPS.format(first="80/s", second="2000/s"), False, id="held in the warm-up alone"),
        pytest.param(RAMPS.format(first="80/s", second="900/s"), True, id="a ramp below"),
        pytest.param("users: 5, duration: 2m", False, id="closed model"),
    ],
)
def test_even_arrivals_that_are_not_dense_are_warned_of(load: str, *, warned: bool) -> None:
    """The lowest rate that is held within the window counts; the warm-up is ten seconds."""
    notice = phase_locked(shop_spec(load).workload)
    assert bool(notice) is warned
    assert not warned or "write `arrivals: jittered`" in notice
