"""The blocks of slo.yaml."""
