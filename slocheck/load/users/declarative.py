"""The user class of a declarative scenario, and the iterations of its users."""

import os
from collections.abc import Iterator
from pathlib import Path

from slocheck.load.messaging.bundle import scenario_in
from slocheck.load.messaging.machine_messages import Bundle
from slocheck.load.users.flow_user import FlowUser
from slocheck.load.users.lean_user import origin_for
from slocheck.plan.load_plan import LoadPlan
from slocheck.scenario.compile.compiled import compile_scenario
from slocheck.scenario.loader import load_scenario


def user_class(plan: LoadPlan, bundle: Bundle | None = None) -> type[FlowUser]:
    """Return the user class of a plan's scenario, without sink and iterations; raises SlocheckError.

    The scenario is that of the bundle, if there is one, else the file that the plan names.
    """
    scenario = scenario_in(bundle) if bundle else load_scenario(Path(plan.scenario), os.environ)
    origin = origin_for(plan.target_url.rstrip("/"), plan.tls)
    compiled = compile_scenario(scenario, authority=origin.authority, base_path=origin.base)
    attributes = {
        "abstract": False,
        "__module__": __name__,
        "scenario": compiled,
        "origin": origin,
        "known": {},
    }
    return type(FlowUser.__name__, (FlowUser,), attributes)


def iterations(user: type[FlowUser], plan: LoadPlan, index: int) -> Iterator[tuple[int, list[object]]]:
    """Return the iterations of the worker with this index."""
    return user.scenario.iterations(seed=plan.seed, index=index, processes=plan.processes)
