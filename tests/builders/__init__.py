"""What many tests need: specs, recordings, evidence, reports."""
