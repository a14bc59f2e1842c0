"""The table of systems that the method was not tuned on."""

from collections.abc import Iterator

import numpy as np

from tests.simulation.models import Model
from tests.simulation.rates import NOMINAL, Rates, edges_of, windows
from tests.simulation.tables import Table, pair
from tests.simulation.untuned.failures import FAILING, Failing
from tests.simulation.untuned.latencies import LATENCIES
from tests.simulation.untuned.product import product_rates
from tests.simulation.window_tables import SHARES

SECONDS = (60, 300, 600)
CHUNK = 50


def failing_rates(system: Failing, rng: np.random.Generator, runs: int, seconds: int) -> Rates:
    """Judge windows of a system whose failures are all that is graded."""
    return product_rates(system.windows(rng, runs, seconds), ())


def latency_rates(model: Model, rng: np.random.Generator, runs: int, seconds: int, share: float) -> Rates:
    """Judge windows of a server at the exact limit of a percentile."""
    found, edges = Rates(0), edges_of(model.limit(share))
    for window in windows(model, rng, runs=runs, seconds=seconds, share=share, chunk=CHUNK):
        found += product_rates(window, edges)
    return found


def untuned(seed: int, runs: int) -> Iterator[list[str]]:
    """Yield a row for each system and limit."""
    for number, system in enumerate(FAILING):
        row = [f"failures: {system.name}", f"{100 * system.share:.3g}%"]
        for seconds in SECONDS:
            rng = np.random.default_rng([seed, 16, number, seconds])
            row += pair(failing_rates(system, rng, runs, seconds), NOMINAL)
        yield row
    for number, (model, percentiles) in enumerate(LATENCIES):
        for name in percentiles:
            row = [f"latencies: {model.name}", name]
            for seconds in SECONDS:
                rng = np.random.default_rng([seed, 17, number, seconds, round(100 * SHARES[name])])
                row += pair(latency_rates(model, rng, runs, seconds, SHARES[name]), NOMINAL)
            yield row


TABLES = (
    Table(
        "untuned",
        "Systems that the method was not tuned on, graded as a run is: with the tests for drift.",
        ["what", "limit", *(f"{seconds} s: {what}" for seconds in SECONDS for what in ("met", "breached"))],
        2,
        untuned,
    ),
)
