"""How busy the service was, in words: beside the verdict, deciding nothing."""

from slocheck.grading.report import Report
from slocheck.indicators.saturation import Usage, saturation
from slocheck.reporters.text import bytes_text


def usages(report: Report) -> tuple[Usage, ...]:
    """Return the usage of each process and container that the server side tells of."""
    server = report.evidence.server
    return saturation(server) if server is not None else ()


def usage_text(usage: Usage) -> str:
    """Say what one used."""
    parts = []
    if usage.cpu is not None:
        most = f" (at most {usage.cpu_max:.2f})" if usage.cpu_max is not None else ""
        parts.append(f"CPU {usage.cpu:.2f} cores{most}")
    if usage.memory is not None:
        parts.append(f"memory {bytes_text(usage.memory)}")
    if usage.throttled is not None:
        parts.append(f"throttled in {usage.throttled:.1%} of the periods")
    return f"{usage.name}: {', '.join(parts)}"
