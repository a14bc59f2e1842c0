"""A scenario made ready to send: request bytes, checks and values. Pure."""
