"""Checks that each placeholder has a value when its step is sent, and that endpoint names stay few."""

from collections.abc import Mapping, Sequence

from slocheck.documents.reader import ProblemLog, unknown
from slocheck.documents.units import shown
from slocheck.documents.yaml_tree import MAX_PROBLEMS
from slocheck.scenario.model import (
    Capture,
    CsvFeeder,
    Feeder,
    Flow,
    Placeholder,
    Step,
    Template,
    templates_of,
)

MAX_ENDPOINTS = 500
"""Endpoint names that a scenario may have; each costs histograms in every slice of a run."""


def check_placeholders(
    log: ProblemLog,
    feeders: Mapping[str, Feeder | None],
    headers: Sequence[tuple[str, Template]],
    flows: Sequence[Flow],
) -> None:
    """Record each placeholder without a value."""
    checker = _Checker(log, feeders, flows)
    for _, template in headers:
        checker.check_shared(template)
    for flow in flows:
        checker.check_flow(flow)


class _Checker:
    """Checks the placeholders of one scenario."""

    def __init__(self, log: ProblemLog, feeders: Mapping[str, Feeder | None], flows: Sequence[Flow]) -> None:
        self._log = log
        self._feeders = feeders
        self._owners: dict[str, str] = {}
        for flow in flows:
            for step in flow.steps:
                for capture in step.captures:
                    self._owners.setdefault(capture.name, flow.name)

    def check_shared(self, template: Template) -> None:
        """Check a header of all requests: there are no captures yet in the first one."""
        for placeholder in template.placeholders:
            if placeholder.name in self._owners and placeholder.name not in self._feeders:
                what = f"{placeholder} is a capture, unknown in the first step; write the header in the steps"
                self._log.add(template.position, template.where, what)
            else:
                self._check(template, placeholder, {})

    def check_flow(self, flow: Flow) -> None:
        """Check the steps in order, with the values that each can use."""
        later = {capture.name: step for step in reversed(flow.steps) for capture in step.captures}
        captured: dict[str, Capture] = {}
        for step in flow.steps:
            for template in templates_of(step):
                for placeholder in template.placeholders:
                    if placeholder.name in later and placeholder.name not in captured | dict(self._feeders):
                        self._early(template, placeholder, step, later[placeholder.name])
                    else:
                        self._check(template, placeholder, captured)
            for capture in step.captures:
                self._check_capture(capture)
                captured[capture.name] = capture

    def _early(self, template: Template, placeholder: Placeholder, step: Step, later: Step) -> None:
        when = "by this step itself" if later is step else f"on line {later.position.line}, by a later step"
        what = f"{placeholder} is captured only {when}; use it in a step after that one"
        self._log.add(template.position, template.where, what)

    def _check_capture(self, capture: Capture) -> None:
        feeder = self._feeders.get(capture.name)
        if feeder is not None:
            what = (
                f"{shown(capture.name)} is also the feeder on line {feeder.position.line}; rename the capture"
            )
            self._log.add(capture.position, capture.where, what)

    def _check(self, template: Template, placeholder: Placeholder, captured: Mapping[str, Capture]) -> None:
        feeder = self._feeders.get(placeholder.name)
        if feeder is None and placeholder.name in self._feeders:
            return  # the feeder itself is wrong, and that is reported
        if isinstance(feeder, CsvFeeder):
            what = self._wrong_column(feeder, placeholder)
        elif feeder is not None or placeholder.name in captured:
            what = (
                f"{placeholder.name} has no columns; write {{{placeholder.name}}}"
                if placeholder.column
                else ""
            )
        elif placeholder.name in self._owners:
            owner = shown(self._owners[placeholder.name])
            what = f"{placeholder} is captured only in the flow {owner}; capture it in this one too"
        else:
            what = self._unknown(placeholder, captured)
        if what:
            self._log.add(template.position, template.where, what)

    def _unknown(self, placeholder: Placeholder, captured: Mapping[str, Capture]) -> str:
        known = sorted({*self._feeders, *captured})
        if not known:
            name = shown(placeholder.name)
            return f"unknown placeholder {name}; declare it under feeders, or write {{{{ and }}}} for braces"
        if len(self._log.problems) >= MAX_PROBLEMS:
            return f"unknown placeholder {shown(placeholder.name)}"
        return unknown("placeholder", placeholder.name, known)

    def _wrong_column(self, feeder: CsvFeeder, placeholder: Placeholder) -> str:
        """Say what is wrong with the column of a placeholder; empty if nothing is."""
        columns = feeder.table.columns
        if placeholder.column is None:
            example = f"{{{feeder.name}.{next(iter(columns))}}}"
            return f"{placeholder} is a row; write one of its values, such as {example}"
        if placeholder.column in columns:
            return ""
        what = f"column of {feeder.name}"
        if len(self._log.problems) >= MAX_PROBLEMS:
            return f"unknown {what} {shown(placeholder.column)}"
        return unknown(what, placeholder.column, columns)


def check_endpoints(log: ProblemLog, flows: Sequence[Flow]) -> None:
    """Record the first endpoint name over the limit."""
    seen: set[tuple[str, str]] = set()
    for flow in flows:
        for step in flow.steps:
            seen.add((step.method, step.name))
            if len(seen) > MAX_ENDPOINTS:
                what = (
                    f"is endpoint name number {len(seen)}, but at most {MAX_ENDPOINTS} are allowed; "
                    f"give similar steps one name, such as name: {step.method} /items/{{id}}"
                )
                log.add(step.position, "flows", what)
                return


def check_cookies(log: ProblemLog, headers: Sequence[tuple[str, Template]], flows: Sequence[Flow]) -> None:
    """Record each Cookie header that would conflict with kept cookies."""
    own = [header for flow in flows for step in flow.steps for header in step.headers]
    for name, template in (*headers, *own):
        if name.lower() == "cookie":
            what = "cannot be combined with cookies: true, which sends this header; remove one of the two"
            log.add(template.position, template.where, what)
