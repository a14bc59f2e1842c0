"""What an exporter is given."""

from collections.abc import Mapping
from dataclasses import dataclass

from slocheck.spec.model import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A run to be made elsewhere.

    Attributes:
        spec: What is graded.
        name: Name of what is made, a DNS label of at most `MAX_NAME` characters.
        image: Container image that has slocheck as its entry point.
        workers: Machines that send the load.
        files: Content by path, relative to the working folder, the spec itself included.
        secret_files: Paths, relative to the same folder, of files that the user brings as a secret.
        target: The target, if it is not the one in the spec's file.
        spec_file: Path of the spec among `files`.
        scenario_file: Path of the scenario among them.
        join_s: Longest wait for the workers, seconds.
        allowed_metrics: Hosts that the metric source's credentials may be sent to.
    """

    spec: Spec
    name: str
    image: str
    workers: int
    files: Mapping[str, bytes]
    spec_file: str
    scenario_file: str
    target: str | None = None
    secret_files: tuple[str, ...] = ()
    join_s: float = 600.0
    allowed_metrics: tuple[str, ...] = ()


MAX_NAME = 40
"""Longest name: with what is appended to it, it is still a DNS label (63 characters)."""
