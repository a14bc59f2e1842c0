"""One file per part of a scenario: its table of keys and how it is read. Pure."""
