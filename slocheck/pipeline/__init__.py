"""The order of the steps of a run, a regrade and a probe, and nothing else."""
