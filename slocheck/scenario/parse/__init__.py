"""One module for each part of a scenario: its table of keys and how to read it. Pure."""
