"""What a PromQL query reads: its selectors, and how far each looks back from its evaluation time."""

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as promql


@dataclass(frozen=True, slots=True)
class Lookback:
    """One selector of a query.

    Attributes:
        selector: Without range and offset, such as ``http_requests_total{job="api"}``.
        begin: Age of the oldest sample that it reads, seconds before the time of evaluation.
        end: Age of the newest; 0 without an offset.
    """

    selector: str
    begin: float
    end: float


def lookbacks(query: str) -> tuple[Lookback, ...] | None:
    """Return what a query reads; None if its text does not tell.

    This is so for another dialect than PromQL. What is pinned to a moment of its own (``@ 1700000000``) is
    left out; what is pinned to the begin or the end of the query reads no more than it does without.
    """
    try:
        return tuple(_selectors(promql.parse(query), 0.0, 0.0))
    except ValueError:
        return None


def _selectors(node: promql.Expr, begin: float, end: float) -> Iterator[Lookback]:
    """Yield the selectors below a node that is evaluated from `begin` to `end` seconds before the query."""
    match node:
        case promql.VectorSelector() | promql.SubqueryExpr() if _has_own_moment(node):
            return
        case promql.VectorSelector():
            yield _selector(node, begin, end)
        case promql.MatrixSelector():
            yield from _selectors(node.vector_selector, begin + node.range.total_seconds(), end)
        case promql.SubqueryExpr():
            offset = _offset(node)
            length = node.range.total_seconds() if node.range else 0.0
            yield from _selectors(node.expr, begin + length + offset, end + offset)
        case promql.BinaryExpr():
            yield from _selectors(node.lhs, begin, end)
            yield from _selectors(node.rhs, begin, end)
        case promql.Call():
            for argument in node.args:
                yield from _selectors(argument, begin, end)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr():
            yield from _selectors(node.expr, begin, end)


def _selector(node: promql.VectorSelector, begin: float, end: float) -> Lookback:
    offset, text = _offset(node), node.prettify()
    for modifier, is_written in ((" offset ", node.offset), (" @ ", node.at)):
        text = text.rpartition(modifier)[0] if is_written else text
    return Lookback(text, begin + offset, end + offset)


def _has_own_moment(node: promql.VectorSelector | promql.SubqueryExpr) -> bool:
    return node.at is not None and node.at.type == promql.AtModifierType.At


def _offset(node: promql.VectorSelector | promql.SubqueryExpr) -> float:
    return node.offset.total_seconds() if node.offset else 0.0
