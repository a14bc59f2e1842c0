"""The fault catalogue: what may go wrong, and what a run must end in; see docs/development/reliability.md."""
