"""Several analyses of one run together are as often wrong as one."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from slocheck.statistics.proportion import compare_proportion
from slocheck.statistics.sequential import analysis_plan
from tests.builders.criteria import at

PLAN = analysis_plan(300)


def test_five_analyses_are_no_more_often_wrong_than_one() -> None:
    """600 runs exactly at the limit: false met at alpha 5% stays at 5 %; each at full alpha it does not."""
    draws = np.random.default_rng(11).binomial(50, 0.02, size=(600, 60))
    shares = [PLAN.alpha_share(analysis) for analysis in range(len(PLAN.moments_s))]

    def met(bad: Sequence[int], share: float, moment: int) -> bool:
        seen = bad[: moment // 5]
        return compare_proportion([50] * len(seen), seen, 0.02, at(0.05 * share)).keeps

    spent = [bad for bad in draws.tolist() if any(map(partial(met, bad), shares, PLAN.moments_s))]
    naive = [bad for bad in draws.tolist() if any(met(bad, 1.0, moment) for moment in PLAN.moments_s)]
    assert len(spent) / 600 < 0.05 < len(naive) / 600
