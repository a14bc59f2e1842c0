"""The blocks of metric sources, and what the blocks share: preset, selector, credentials."""
