"""Verdicts: from samples and limits to tiers, gate and exit code. Pure."""
