"""Virtual users of declarative scenarios and of Locust files, and the changes to Locust's clients."""
