"""Whether each placeholder has a value when its step is sent, and endpoint names stay few."""

from collections.abc import Mapping, Sequence

from slocheck.documents.reader import ProblemLog, unknown
from slocheck.documents.units import shown
from slocheck.documents.yaml_tree import MAX_PROBLEMS
from slocheck.scenario.model import Capture, CsvFeeder, Feeder, Flow, Reference, Step, Template, templates_of

MAX_ENDPOINTS = 500
"""Endpoint names that a scenario may have; each costs histograms in every slice of a run."""


def check_references(
    book: ProblemLog,
    feeders: Mapping[str, Feeder | None],
    headers: Sequence[tuple[str, Template]],
    flows: Sequence[Flow],
) -> None:
    """Write down each placeholder without a value."""
    checker = _Checker(book, feeders, flows)
    for _, template in headers:
        checker.check_shared(template)
    for flow in flows:
        checker.check_flow(flow)


class _Checker:
    """Checks the placeholders of one scenario."""

    def __init__(self, book: ProblemLog, feeders: Mapping[str, Feeder | None], flows: Sequence[Flow]) -> None:
        self._book = book
        self._feeders = feeders
        self._owners: dict[str, str] = {}
        for flow in flows:
            for step in flow.steps:
                for capture in step.captures:
                    self._owners.setdefault(capture.name, flow.name)

    def check_shared(self, template: Template) -> None:
        """Check a header of all requests: captures are not there in the first one."""
        for reference in template.references:
            if reference.name in self._owners and reference.name not in self._feeders:
                what = (
                    f"{reference} is a capture, which the first step has not; write the header into the steps"
                )
                self._book.add(template.position, template.where, what)
            else:
                self._check(template, reference, {})

    def check_flow(self, flow: Flow) -> None:
        """Check the steps in order, with what each may know."""
        later = {capture.name: step for step in reversed(flow.steps) for capture in step.captures}
        captured: dict[str, Capture] = {}
        for step in flow.steps:
            for template in templates_of(step):
                for reference in template.references:
                    if reference.name in later and reference.name not in captured | dict(self._feeders):
                        self._early(template, reference, step, later[reference.name])
                    else:
                        self._check(template, reference, captured)
            for capture in step.captures:
                self._check_capture(capture)
                captured[capture.name] = capture

    def _early(self, template: Template, reference: Reference, step: Step, later: Step) -> None:
        when = "by this very step" if later is step else f"on line {later.position.line}, by a later step"
        what = f"{reference} is captured only {when}; use it in a step after that one"
        self._book.add(template.position, template.where, what)

    def _check_capture(self, capture: Capture) -> None:
        feeder = self._feeders.get(capture.name)
        if feeder is not None:
            what = (
                f"{shown(capture.name)} is the feeder of line {feeder.position.line}, too; rename the capture"
            )
            self._book.add(capture.position, capture.where, what)

    def _check(self, template: Template, reference: Reference, captured: Mapping[str, Capture]) -> None:
        feeder = self._feeders.get(reference.name)
        if feeder is None and reference.name in self._feeders:
            return  # the feeder itself is wrong, and that is told
        if isinstance(feeder, CsvFeeder):
            what = _wrong_column(feeder, reference)
        elif feeder is not None or reference.name in captured:
            what = f"{reference.name} has no columns; write {{{reference.name}}}" if reference.column else ""
        elif reference.name in self._owners:
            owner = shown(self._owners[reference.name])
            what = f"{reference} is captured in the flow {owner} alone; capture it in this one, too"
        else:
            what = self._unknown(reference, captured)
        if what:
            self._book.add(template.position, template.where, what)

    def _unknown(self, reference: Reference, captured: Mapping[str, Capture]) -> str:
        known = sorted({*self._feeders, *captured})
        if not known:
            name = shown(reference.name)
            return f"unknown placeholder {name}; declare it below feeders, or write {{{{ and }}}} for braces"
        if len(self._book.problems) >= MAX_PROBLEMS:
            return f"unknown placeholder {shown(reference.name)}"
        return unknown("placeholder", reference.name, known)


def _wrong_column(feeder: CsvFeeder, reference: Reference) -> str:
    """Say what is wrong with the column of a placeholder; empty: nothing."""
    if reference.column is None:
        return f"{reference} is a row; write one of its values, such as {{{feeder.name}.{feeder.columns[0]}}}"
    if reference.column not in feeder.columns:
        return unknown(f"column of {feeder.name}", reference.column, feeder.columns)
    return ""


def check_endpoints(book: ProblemLog, flows: Sequence[Flow]) -> None:
    """Write down the endpoint name that is one too many."""
    seen: set[tuple[str, str]] = set()
    for flow in flows:
        for step in flow.steps:
            seen.add((step.method, step.name))
            if len(seen) > MAX_ENDPOINTS:
                what = (
                    f"is endpoint name number {len(seen)}, at most {MAX_ENDPOINTS} are told apart; "
                    f"give steps that are alike one name, such as name: {step.method} /items/{{id}}"
                )
                book.add(step.position, "flows", what)
                return


def check_cookies(book: ProblemLog, headers: Sequence[tuple[str, Template]], flows: Sequence[Flow]) -> None:
    """Write down each Cookie header that would stand beside the one of kept cookies."""
    own = [header for flow in flows for step in flow.steps for header in step.headers]
    for name, template in (*headers, *own):
        if name.lower() == "cookie":
            what = "stands beside cookies: true, which sends this header; remove one of the two"
            book.add(template.position, template.where, what)
