"""The order of steps: what a run, a regrade and a probe do, one after the other."""
