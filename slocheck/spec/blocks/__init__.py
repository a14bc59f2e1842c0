"""One file per block of slo.yaml: its table of keys and how it is read. Pure."""
