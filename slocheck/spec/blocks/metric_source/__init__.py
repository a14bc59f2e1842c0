"""The blocks of metric sources, and what they share: preset, selector, credentials."""
