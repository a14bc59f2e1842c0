"""The fault catalogue: what may go wrong, and how a run must end; see docs/development/reliability.md."""
