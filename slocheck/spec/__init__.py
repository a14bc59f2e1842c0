"""slo.yaml: what the user wrote, validated, with the line of every value."""
