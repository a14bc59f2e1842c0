"""``python -m slocheck``."""

from slocheck.cli import main

main()
