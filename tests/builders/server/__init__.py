"""What a metric source delivers: series with known truth."""
