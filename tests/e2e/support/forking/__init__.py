"""Programs that are imported once and forked for each run: the tests start some hundred of each."""
