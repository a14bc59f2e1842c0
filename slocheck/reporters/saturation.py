"""How busy the service was, in words; it is shown and not graded."""

from slocheck.grading.report import Report
from slocheck.indicators.saturation import Usage, saturation
from slocheck.reporters.text import bytes_text


def usages(report: Report) -> tuple[Usage, ...]:
    """Return the usage of each process and container in the server's series."""
    server = report.evidence.server
    return saturation(server) if server is not None else ()


def usage_text(usage: Usage) -> str:
    """Say what one process or container used."""
    parts = []
    if usage.cpu_cores is not None:
        most = f" (max {usage.cpu_cores_max:.2f})" if usage.cpu_cores_max is not None else ""
        parts.append(f"CPU {usage.cpu_cores:.2f} cores{most}")
    if usage.memory_bytes_max is not None:
        parts.append(f"memory {bytes_text(usage.memory_bytes_max)}")
    if usage.throttled_ratio is not None:
        parts.append(f"throttled in {usage.throttled_ratio:.1%} of scheduler periods")
    return f"{usage.name}: {', '.join(parts)}"
