"""The order of steps, and nothing else: what a run, a regrade and a probe do one after the other."""
