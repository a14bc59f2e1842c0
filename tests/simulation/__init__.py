"""How often verdicts are wrong on queues whose truth is known: ``python -m tests.simulation``."""
