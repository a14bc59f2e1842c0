"""What is in deploy/: checked as far as that goes without a container engine."""
