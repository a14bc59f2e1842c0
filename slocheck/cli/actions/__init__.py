"""What each command does; imported once its command runs, so that ``--help`` stays light."""
