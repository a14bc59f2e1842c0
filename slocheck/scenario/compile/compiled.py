"""A scenario ready for the load engine: request bytes, checks and values, with nothing left to look up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from slocheck.scenario.compile.checks import (
    Check,
    JsonTest,
    PlainTest,
    compile_captures,
    compile_tests,
    compose,
    status_failure,
)
from slocheck.scenario.compile.iterations import iterate
from slocheck.scenario.compile.requests import Render, compile_request
from slocheck.scenario.compile.value_slots import Column, UnsendableError, ValueSlots
from slocheck.scenario.model import Expectation, Flow, Scenario, Step
from slocheck.scenario.parse.expectations import reads_body

__all__ = [
    "CompiledFlow",
    "CompiledScenario",
    "CompiledStep",
    "UnsendableError",
    "compile_scenario",
    "status_failure",
]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledStep:
    """One request, ready to be rendered and checked.

    Attributes:
        method: Such as ``GET``.
        name: The endpoint's name without the method, as `slocheck.spec.model.Endpoint` has it.
        fixed: The whole request, if nothing in it varies.
        render: The whole HTTP/1.1 request from the iteration's values; raises UnsendableError if it must
            not be sent, with the text of a failed expectation.
        timeout_s: Seconds for the whole response.
        think: Seconds to wait after this step, uniform between the two; None: go on at once.
        check: From (status, header block with status line and empty line, decoded body, values) to None or
            the text of the failed expectation; stores captures in the values. None: only the status is
            checked.
        statuses: Expected statuses; None: any. `check` tests them, too; without a check,
            `status_failure` gives the text.
        needs_body: `check` reads the body, which has to be kept and decoded for it.
        expects: An ``expect`` is written for this step.
        captures: A failure of this step ends the flow, because later steps need what it captures.
    """

    method: str
    name: str
    fixed: bytes | None
    render: Render
    timeout_s: float
    think: tuple[float, float] | None
    check: Check | None
    statuses: frozenset[int] | None
    needs_body: bool
    expects: bool
    captures: bool


@dataclass(frozen=True, slots=True, eq=False)
class CompiledFlow:
    """Steps that a virtual user takes in order."""

    name: str
    steps: tuple[CompiledStep, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledScenario:
    """A whole scenario.

    Attributes:
        flows: In the order written.
        cookies: Whether each virtual user keeps cookies.
        weights: The flows' weights.
        columns: What fills each slot of an iteration's values.
    """

    flows: tuple[CompiledFlow, ...]
    cookies: bool
    weights: tuple[float, ...]
    columns: tuple[Column, ...]

    def iterations(self, *, seed: int, index: int, processes: int) -> Iterator[tuple[int, list[object]]]:
        """Yield (flow index, new values) for iterations index, index + processes, ... without end.

        Args:
            seed: 0 or more; it determines, with the feeder's name and i, all that is random in iteration i.
            index: Index of this process, from 0.
            processes: How many share the iterations.
        """
        return iterate(self.columns, self.weights, seed=seed, index=index, processes=processes)


def compile_scenario(scenario: Scenario, *, authority: str, base_path: str) -> CompiledScenario:
    """Compile a scenario for a target.

    Args:
        scenario: The loaded scenario.
        authority: Value of the Host header, such as ``127.0.0.1:8000``.
        base_path: Prefix of every path: empty, or such as ``/api``.
    """
    slots = ValueSlots(scenario.feeders)

    def request(step: Step) -> tuple[bytes | None, Render]:
        return compile_request(
            step, scenario.headers, slots, authority=authority, base_path=base_path.rstrip("/")
        )

    flows = tuple(_flow(flow, slots, request) for flow in scenario.flows)
    weights = tuple(flow.weight for flow in scenario.flows)
    return CompiledScenario(flows, scenario.cookies, weights, tuple(slots.columns))


def _flow(
    flow: Flow, slots: ValueSlots, request: Callable[[Step], tuple[bytes | None, Render]]
) -> CompiledFlow:
    """Compile a flow, its requests and tests first, because they decide which encodings captures need."""
    slots.begin_flow()
    parts = [(step, request(step), compile_tests(step.expect, slots)) for step in flow.steps]
    steps = tuple(
        _step(step, *rendered, tests, compile_captures(step.captures, slots))
        for step, rendered, tests in parts
    )
    return CompiledFlow(flow.name, steps)


def _step(
    step: Step,
    fixed: bytes | None,
    render: Render,
    tests: tuple[list[PlainTest], list[JsonTest]],
    captures: tuple[list[PlainTest], list[JsonTest]],
) -> CompiledStep:
    expect = step.expect
    return CompiledStep(
        method=step.method,
        name=step.name,
        fixed=fixed,
        render=render,
        timeout_s=step.timeout_s,
        think=step.think if step.think and step.think[1] > 0 else None,
        check=compose(expect.statuses, [*tests[0], *captures[0]], [*tests[1], *captures[1]]),
        statuses=expect.statuses,
        needs_body=reads_body(expect, step.captures),
        expects=expect != Expectation(),
        captures=bool(step.captures),
    )
