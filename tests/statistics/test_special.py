"""Tails and quantiles: against values computed to 40 digits, against scipy, and as inverses of each other."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special as reference

from slocheck.statistics import special

EXACT_BETA_TAILS = [
    (1e-6, 2.0, 0.3, 0.9999994960270777, 5.039729223314258e-7),
    (0.5, 0.001, 0.2, 0.0009610194164912788, 0.9990389805835087),
    (0.7, 40.0, 1e-9, 7.276334286327846e-6, 0.9999927236657137),
    (3.0, 1e8, 1.9e-7, 0.9999988766413318, 1.123358668174786e-6),
    (10.0, 1e8, 1e-7, 0.542070404382682, 0.457929595617318),
    (37.0, 1e8, 2e-7, 0.0004228988159422561, 0.9995771011840577),
    (10.0, 0.5, 0.6, 0.001586636428926729, 0.9984133635710733),
    (9.99, 25.0, 0.1, 0.001381309887673011, 0.998618690112327),
    (51.0, 949.0, 0.03, 0.0002312273971253527, 0.9997687726028746),
    (1000.0, 1000.0, 0.45, 3.683198869007578e-6, 0.999996316801131),
    (300.0, 1e6, 4e-4, 0.999999927601758, 7.239824195520137e-8),
    (2e5, 3e3, 0.9845, 0.003923175131934447, 0.9960768248680656),
    (5e4, 1e6, 0.0465, 2.917606254847863e-8, 0.9999999708239375),
    (1e8, 1e8, 0.4999, 0.002338867309689789, 0.9976611326903102),
]
"""a, b, x, and the shares below and above x; computed with mpmath 1.4.1."""

EXACT_T_TAILS = [
    (1, 3e5, 1.061032953942039e-6),
    (2, 0.001, 0.499646446697795),
    (9, 2.5, 0.01693091384149287),
    (21, 5.5, 9.296584822112728e-6),
    (299, 7.0, 8.447898125274855e-12),
    (1_000_000, 4.75, 1.017223978199739e-6),
]
"""Degrees of freedom, t, and the share above t; computed with mpmath 1.4.1."""


def powers_of_ten(low: float, high: float) -> st.SearchStrategy[float]:
    """Return numbers between two powers of ten, all magnitudes alike."""
    return st.floats(low, high).map(lambda exponent: float(10**exponent))


PARAMETERS = powers_of_ten(-6, 8)
TAILS = powers_of_ten(-6, -0.30103)


def tolerance(a: float, b: float, beyond: float) -> float:
    """Return by how much a quantile may differ from scipy's, relative.

    Two things cost digits: scipy's own prefactor, up to 5e-9 at 1e8; and a parameter near zero `beyond` the
    tail, where nearly all of the distribution sits on one point.
    """
    return 1e-10 + 1e-16 * max(a, b) + 1e-14 / beyond


@pytest.mark.parametrize(("a", "b", "x", "below", "above"), EXACT_BETA_TAILS)
def test_both_tails_of_the_beta_distribution_are_exact(
    a: float, b: float, x: float, below: float, above: float
) -> None:
    """To twelve digits, small tails as well, and the quantiles lead back."""
    assert special.beta_cdf(a, b, x) == pytest.approx(below, rel=1e-12)
    assert special.beta_sf(a, b, x) == pytest.approx(above, rel=1e-12)
    inverse = (
        special.beta_quantile(a, b, below) if below < above else special.beta_upper_quantile(a, b, above)
    )
    assert inverse == pytest.approx(x, rel=1e-9)


@pytest.mark.parametrize(("degrees", "t", "above"), EXACT_T_TAILS)
def test_tails_of_students_t_are_exact(degrees: float, t: float, above: float) -> None:
    """To twelve digits on both sides of zero, and the quantiles lead back."""
    assert special.t_cdf(degrees, -t) == pytest.approx(above, rel=1e-12)
    assert special.t_cdf(degrees, t) == pytest.approx(1 - above, rel=1e-15)
    assert special.t_quantile(degrees, above) == pytest.approx(-t, rel=1e-10)


@given(PARAMETERS, PARAMETERS, TAILS)
def test_beta_quantiles_equal_those_of_scipy(a: float, b: float, p: float) -> None:
    """At both ends, from single requests to hundreds of millions, and from shares of a millionth on."""
    low, high = float(reference.betaincinv(a, b, p)), float(reference.betainccinv(a, b, p))
    assert special.beta_quantile(a, b, p) == pytest.approx(low, rel=tolerance(a, b, b), abs=1e-290)
    assert special.beta_upper_quantile(a, b, p) == pytest.approx(high, rel=tolerance(a, b, a), abs=1e-290)


@given(PARAMETERS, PARAMETERS, TAILS)
def test_beta_tails_equal_those_of_scipy(a: float, b: float, p: float) -> None:
    """This holds if the share below or above is small."""
    low, high = float(reference.betaincinv(a, b, p)), float(reference.betainccinv(a, b, p))
    below, above = float(reference.betainc(a, b, low)), float(reference.betaincc(a, b, high))
    assert special.beta_cdf(a, b, low) == pytest.approx(below, rel=tolerance(a, b, b))
    assert special.beta_sf(a, b, high) == pytest.approx(above, rel=tolerance(a, b, a))


@given(st.integers(1, 2_000_000), powers_of_ten(-12, -0.302), st.booleans())
def test_quantiles_of_students_t_equal_those_of_scipy(degrees: int, p: float, upper: bool) -> None:
    """From one degree of freedom to a day of slices at 20 endpoints, down to the smallest p-value in use."""
    share = 1 - p if upper else p
    expected = float(reference.stdtrit(degrees, share))
    assert special.t_quantile(degrees, share) == pytest.approx(expected, rel=1e-10)
    assert special.t_cdf(degrees, expected) == pytest.approx(share, rel=1e-10)


@given(powers_of_ten(-15, -0.302))
def test_normal_quantiles_equal_those_of_scipy(p: float) -> None:
    """On both sides of the median."""
    assert special.normal_quantile(p) == pytest.approx(float(reference.ndtri(p)), rel=1e-12)
    assert special.normal_quantile(1 - p) == pytest.approx(float(reference.ndtri(1 - p)), rel=1e-12)


def test_the_ends_are_the_ends() -> None:
    """Nothing lies below 0 or above 1, a median is 0, and nothing lies above an infinite t."""
    assert (special.beta_cdf(3, 4, 0.0), special.beta_sf(3, 4, 0.0)) == (0.0, 1.0)
    assert (special.beta_cdf(3, 4, 1.0), special.beta_sf(3, 4, 1.0)) == (1.0, 0.0)
    assert (special.t_quantile(5, 0.5), special.t_cdf(5, 0.0)) == (0.0, 0.5)
    assert (special.t_cdf(5, 1e300), special.t_cdf(5, -1e300)) == (1.0, 0.0)


@given(st.integers(0, 50), st.integers(1, 60), st.floats(0.01, 0.99))
def test_whole_counts_give_the_binomial_sum(bad: int, good: int, share: float) -> None:
    """The share of the beta distribution below p is P(X > bad) of a binomial: the sum that tables print."""
    total = bad + good
    at_most = sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(bad + 1))
    assert special.beta_sf(bad + 1, good, share) == pytest.approx(at_most, rel=1e-11)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_quantile_from_above_is_that_from_below(p: float) -> None:
    """On either side of the median; where it is computed from the other tail, too."""
    expected = reference.betaincinv(2.0, 5.0, 1 - p)
    assert special.beta_upper_quantile(2.0, 5.0, p) == pytest.approx(expected, rel=1e-12)
    assert special.beta_quantile(2.0, 5.0, 1 - p) == pytest.approx(expected, rel=1e-12)
