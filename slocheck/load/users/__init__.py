"""Virtual users: of declarative scenarios and of Locust files, and what is changed of Locust's clients."""
