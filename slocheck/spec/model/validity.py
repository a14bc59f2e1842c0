"""The limits of a valid run: the `validity` block, typed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ValidityLimits:
    """The limits that a valid run must keep.

    Attributes:
        min_sent: Smallest share of the planned users or arrivals that were sent, 0..1.
        max_generator_cpu: Largest share of one core a worker may use, 0..1.
        max_loop_lag: Largest p99 of event-loop lag, seconds.
        max_stall: Longest time in which a worker's event loop was blocked, or the machine suspended, seconds.
        max_schedule_lag: Largest p99 of the delay of arrivals against the schedule, seconds.
        max_lag_share: Largest p99 of either lag, as a share of a latency limit that the lag could breach.
        max_exceptions: Most exceptions of the scenario's own code.
        max_generator_failures: Most requests that failed on this machine, out of descriptors or ports.
        min_window: Smallest share of the planned window that was measured, 0..1.
        max_unrecorded: Largest count of requests without a recorded outcome.
        max_clock_skew: Largest difference between Prometheus's clock and this machine's, seconds.
        max_clock_jump: Largest jump of the wall clock against the monotonic one, seconds.
        min_slices: Fewest 1 s slices in the window.
        max_scrape_gap: Largest gap between two samples of a live target, in scrape intervals.
        steady: Whether a limit is met only if a window that became worse shows it in its last part, too.
        max_unexpected: Largest share of an endpoint's responses with an unexpected status, 0..1.
    """

    min_sent: float = 0.99
    max_generator_cpu: float = 0.9
    max_loop_lag: float = 0.1
    max_stall: float = 1.0
    max_schedule_lag: float = 0.1
    max_lag_share: float = 0.1
    max_exceptions: int = 0
    max_generator_failures: int = 0
    min_window: float = 1.0
    max_unrecorded: int = 0
    max_clock_skew: float = 5.0
    max_clock_jump: float = 1.0
    min_slices: int = 10
    max_scrape_gap: float = 3.0
    steady: bool = True
    max_unexpected: float = 0.01
