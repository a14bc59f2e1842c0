"""Tails and quantiles of the beta, Student's t and the normal distribution.

The incomplete beta function I_x(a, b) is computed for the tail that x lies in, so that small tails keep their
digits; in one of three ways:

- by its power series where b x is small (DiDonato and Morris 1992, doi 10.1145/131766.131776);
- by Gauss's continued fraction with the method of Lentz where a is small (DLMF 8.17.22);
- else by Gauss-Legendre quadrature, as the fraction takes the more terms the larger a and b are.

Quantiles are roots of the logarithm of a tail, found by Halley's method within a bracket. Tails are exact to
twelve digits, quantiles to ten or more, for a and b from 1e-6 to 1e8. Only a tail beyond which the other
parameter is far below 1, where nearly all of the distribution sits on one point, has fewer.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from math import exp, expm1, inf, isfinite, lgamma, log, log1p, pi, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-15
"""A change this small, relative to the result, is rounding."""

LARGE = 10.0
"""From this `a` on the tail below x is smooth enough for quadrature."""

NODES = 40
DEPTH = 40.0
"""The quadrature ends where the density has fallen by a factor of exp(DEPTH)."""

CLOSE = 1e-5
"""A logarithm this close to its aim is on it after one more step of Halley's, which cubes the error."""

MOST_STEPS = 500
"""By then even bisection has come down to neighbouring floats."""

MEDIAN = 0.5

_HALF_LOG_2PI = log(2 * pi) / 2
_TINY = 1e-300
_NORMAL = NormalDist()

RisingCurve = Callable[[float], tuple[float, float, float]]
"""A rising function: its value at a point, and its first and second derivative there."""


def normal_quantile(p: float) -> float:
    """Return the quantile of `p`, 0 < p < 1, of the standard normal distribution."""
    return _NORMAL.inv_cdf(p)


def beta_cdf(a: float, b: float, x: float) -> float:
    """Return the share of the beta distribution below `x`: I_x(a, b) for a, b > 0 and x in 0..1."""
    return _tails(a, b, x, 1 - x)[0]


def beta_sf(a: float, b: float, x: float) -> float:
    """Return the share of the beta distribution above `x`: 1 - I_x(a, b) for a, b > 0 and x in 0..1."""
    return _tails(a, b, x, 1 - x)[1]


def beta_quantile(a: float, b: float, p: float) -> float:
    """Return the `x` below which a share `p` of the beta distribution lies, for a, b > 0 and 0 < p < 1."""
    return _beta_solution(a, b, p)[0] if p <= MEDIAN else _beta_solution(b, a, 1 - p)[1]


def beta_upper_quantile(a: float, b: float, p: float) -> float:
    """Return the `x` above which a share `p` of the beta distribution lies, for a, b > 0 and 0 < p < 1."""
    return _beta_solution(b, a, p)[1] if p <= MEDIAN else _beta_solution(a, b, 1 - p)[0]


def t_cdf(degrees: float, t: float) -> float:
    """Return the share of Student's t distribution below `t`, for `degrees` of freedom of 1 or more."""
    tail = _tails(degrees / 2, 0.5, *_t_point(degrees, abs(t)))[0] / 2
    return tail if t < 0 else 1 - tail


@lru_cache(maxsize=4096)
def t_quantile(degrees: float, p: float) -> float:
    """Return the quantile of `p`, 0 < p < 1, of Student's t distribution, for `degrees` of 1 or more."""
    if p == MEDIAN:
        return 0.0
    return -_t_solution(degrees, p) if p < MEDIAN else _t_solution(degrees, 1 - p)


def _tails(a: float, b: float, x: float, y: float) -> tuple[float, float]:
    """Return the shares of the beta distribution below and above `x`; `y` is 1 - x with all digits."""
    if x <= 0 or y <= 0:
        return (0.0, 1.0) if x <= 0 else (1.0, 0.0)
    if x * (a + b + 2) < a + 1:
        below = _lower_tail(a, b, x, y)
        return below, 1 - below
    above = _lower_tail(b, a, y, x)
    return 1 - above, above


def _lower_tail(a: float, b: float, x: float, y: float) -> float:
    """Return I_x(a, b), for x up to about the mean, in the way that is shortest."""
    if x * b <= 1 and x <= MEDIAN:
        return exp(a * log(x) + _log_inverse_beta(a, b)) / a * _power_series(a, b, x)
    if a < LARGE:
        return _weight(a, b, x, y) / a * _continued_fraction(a, b, x)
    return _weight(a, b, x, y) / x * _quadrature(a - 1, b, x, y)


def _power_series(a: float, b: float, x: float) -> float:
    """Return the factor of x^a / (a B(a, b)) in I_x(a, b).

    That is 1 plus the sum over j from 1 of a (1-b)(2-b)...(j-b) x^j / (j! (a+j)).
    """
    total, product, j = 1.0, a, 0
    while True:
        j += 1
        product *= (j - b) / j * x
        total += (term := product / (a + j))
        if abs(term) <= EPSILON * total:
            return total


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Return the factor of x^a y^b / (a B(a, b)) in I_x(a, b), for x below (a + 1) / (a + b + 2)."""
    c, value, m = 1.0, 1.0, 0
    d = value = 1 / (1 - (a + b) * x / (a + 1))
    while True:
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for coefficient in (even, odd):
            d = 1 / ((1 + coefficient * d) or _TINY)
            c = (1 + coefficient / c) or _TINY
            value *= c * d
        if abs(c * d - 1) <= EPSILON:
            return value


def _quadrature(a: float, b: float, x: float, y: float) -> float:
    """Return the integral over u from 0 of e^(b u) (t / x)^a, where 1 - t = y e^u, down to t = 0.

    The logarithm of 1 - t as variable makes the integrand smooth where b is small, too.
    """
    nodes, weights = _legendre()
    depth = log1p(_depth(a, b, x, y) / y)
    u = nodes * depth
    return depth * float(weights @ np.exp(b * u + a * np.log1p(np.expm1(u) * (-y / x))))


def _depth(a: float, b: float, x: float, y: float) -> float:
    """Return how far below `x` the density t^a (1-t)^b has fallen by exp(DEPTH), at most almost `x`."""
    slope, curvature = a / x - b / y, a / x**2 + b / y**2
    depth = (sqrt(slope**2 + 2 * DEPTH * curvature) - slope) / curvature
    for _ in range(3):  # Newton's method
        if depth >= x:
            break
        fall = a * log1p(-depth / x) + b * log1p(depth / y)
        depth += (fall + DEPTH) / (a / (x - depth) - b / (y + depth))
    return min(depth, x * (1 - EPSILON))


@cache
def _legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the nodes and weights of Gauss-Legendre quadrature on 0..1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2


def _weight(a: float, b: float, x: float, y: float) -> float:
    """Return x^a y^b / B(a, b), by its fall from the peak: no large logarithms cancel (Loader 2000)."""
    distance = b * x - a * y
    fall = a * _log_ratio(distance / a, (a + b) / a * x) + b * _log_ratio(-distance / b, (a + b) / b * y)
    return exp(fall + _log_peak(a, b))


def _log_ratio(difference: float, ratio: float) -> float:
    """Return the logarithm of `ratio`, whose `difference` from 1 has more digits where it is small."""
    return log1p(difference) if abs(difference) < MEDIAN else log(ratio)


def _log_peak(a: float, b: float) -> float:
    """Return the logarithm of x^a y^b / B(a, b) at its peak, x = a / (a + b)."""
    total = a + b
    return log(a / total * b / (2 * pi)) / 2 + _stirling(total) - _stirling(a) - _stirling(b)


def _log_inverse_beta(a: float, b: float) -> float:
    """Return -ln B(a, b)."""
    return _log_peak(a, b) + a * log1p(b / a) + b * log1p(a / b)


def _stirling(z: float) -> float:
    """Return what Stirling's formula leaves of ln Gamma(z) (DLMF 5.11.1)."""
    if z < LARGE:
        return lgamma(z) - (z - 0.5) * log(z) + z - _HALF_LOG_2PI
    r = 1 / (z * z)
    return (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * 691 / 360360))))) / z


def _beta_solution(a: float, b: float, p: float) -> tuple[float, float]:
    """Return x and 1 - x, both with all digits, where the share below x is `p`, at most 0.5."""
    if (first := _first_term(a, b, log(p))) < log(EPSILON) - log1p(b):
        return exp(first), 1.0
    if (last := _first_term(b, a, log1p(-p))) < log(EPSILON) - log1p(a):
        return 1.0, exp(last)

    def log_tail(log_x: float) -> tuple[float, float, float]:
        x, y = exp(log_x), -expm1(log_x)
        tail = _tails(a, b, x, y)[0]
        if tail <= 0:
            return -inf, 1.0, 0.0
        slope = _weight(a, b, x, y) / y / tail
        return log(tail / p), slope, slope * (a - (b - 1) * x / y - slope)

    start = _near_normal(a, b, p) if min(a, b) >= 1 else min(first, -log1p(b / a))
    log_x = _root(log_tail, start, 0.0)
    return exp(log_x), -expm1(log_x)


def _first_term(a: float, b: float, log_p: float) -> float:
    """Return ln x where the power series begins with a share of `p` below x: exact for small x."""
    return (log_p + log(a) - _log_inverse_beta(a, b)) / a


def _near_normal(a: float, b: float, p: float) -> float:
    """Return about ln x where I_x(a, b) is `p` (Abramowitz and Stegun 1964, 26.5.22), for a, b from 1 on."""
    z = -normal_quantile(p)
    inverse_a, inverse_b = 1 / (2 * a - 1), 1 / (2 * b - 1)
    h, skew = 2 / (inverse_a + inverse_b), (z * z - 3) / 6
    w = z * sqrt(h + skew) / h - (inverse_b - inverse_a) * (skew + 5 / 6 - 2 / (3 * h))
    return -log1p(b / a * exp(2 * w))


def _t_point(degrees: float, t: float) -> tuple[float, float]:
    """Return x and 1 - x where the share of Student's t above `t` >= 0 is half of I_x(degrees / 2, 1 / 2)."""
    ratio = t * t / degrees
    return 1 / (1 + ratio), ratio / (1 + ratio) if ratio < 1 else 1 / (1 + 1 / ratio)


def _t_solution(degrees: float, p: float) -> float:
    """Return the t above which a share `p` below 0.5 of Student's t distribution lies."""

    def log_tail(log_t: float) -> tuple[float, float, float]:
        x, y = _t_point(degrees, exp(log_t))
        tail = _tails(degrees / 2, 0.5, x, y)[0] / 2
        hazard = _weight(degrees / 2, 0.5, x, y) / tail
        return log(p / tail), hazard, hazard * (1 - (degrees + 1) * y + hazard)

    z = -normal_quantile(p)
    return exp(_root(log_tail, log(z + (z**3 + z) / (4 * degrees)), inf))


def _root(curve: RisingCurve, start: float, high: float) -> float:
    """Return where a rising curve crosses zero: Halley's method, and bisection where that goes astray."""
    low, at = -inf, start
    for _ in range(MOST_STEPS):
        value, slope, bend = curve(at)
        low, high = (at, high) if value < 0 else (low, at)
        step = -value / slope / min(2.0, max(0.5, 1 - value * bend / (2 * slope * slope)))
        following = at + step
        if not low <= following <= high or not isfinite(following):
            following = (low + high) / 2
        at = following
        if max(abs(value), abs(step)) < CLOSE or abs(step) <= EPSILON * abs(at):
            break
    return at
