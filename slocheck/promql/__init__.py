"""PromQL as text: selectors and the queries that a dashboard would send. Pure."""
