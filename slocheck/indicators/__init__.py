"""Service level indicators: from evidence and an objective to the sample that is graded. Pure."""
