"""What several tests build: specs, recordings, evidence, reports."""
