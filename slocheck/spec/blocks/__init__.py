"""One module for each block of slo.yaml: its table of keys and how to read it. Pure."""
