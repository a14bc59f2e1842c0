"""The files in deploy/, checked as far as possible without a container engine."""
