"""What was measured: recordings, server series, and the samples drawn from them. Pure."""
