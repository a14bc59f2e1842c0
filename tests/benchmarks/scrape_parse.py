"""What one scrape of a large metrics page costs here: ``python -m tests.benchmarks.scrape_parse``."""

import argparse
import time
from collections.abc import Callable
from statistics import median

from prometheus_client.parser import text_string_to_metric_families

from slocheck.promql.selectors import SeriesQuery
from slocheck.sources.scrape.exposition import PageReader

SERIES = 5376
QUERIES = (SeriesQuery("http_requests_total"), SeriesQuery("http_request_duration_seconds_bucket"))


def page(wanted: int) -> str:
    """Return a page of `SERIES` series, `wanted` of them of the request histogram."""
    lines = [
        f'http_request_duration_seconds_bucket{{method="GET",route="/r{at // 9}",le="{at % 9}"}} {at}'
        for at in range(wanted)
    ]
    lines += [
        f'other_metric_{at % 40}_total{{shard="{at}",zone="a"}} {at}.5' for at in range(SERIES - wanted)
    ]
    return "\n".join(lines) + "\n"


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median time of a call."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return median(times) * 1000


def parse_all(text: str) -> int:
    """Parse every line, as a client without a filter does."""
    return sum(len(family.samples) for family in text_string_to_metric_families(text))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often each is read")
    rounds = parser.parse_args().rounds
    print(f"{SERIES} series a page, median of {rounds}, milliseconds")  # noqa: T201 - its output
    print(f"{'wanted':>8} {'parse all':>10} {'first page':>11} {'later pages':>12}")  # noqa: T201 - as above
    for wanted in (90, 900, SERIES):
        text = page(wanted)
        reader = PageReader(QUERIES)
        reader.read(text, openmetrics=False)
        everything = milliseconds(lambda text=text: parse_all(text), rounds)  # type: ignore[misc]  # bound on purpose
        first = milliseconds(lambda text=text: PageReader(QUERIES).read(text, openmetrics=False), rounds)  # type: ignore[misc]  # as above
        later = milliseconds(lambda text=text, reader=reader: reader.read(text, openmetrics=False), rounds)  # type: ignore[misc]  # as above
        print(f"{wanted:>8} {everything:>10.1f} {first:>11.1f} {later:>12.2f}")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
