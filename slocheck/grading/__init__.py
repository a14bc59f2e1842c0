"""Grading: from samples and limits to verdicts, tiers and exit code. Pure."""
