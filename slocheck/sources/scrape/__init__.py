"""The metric source that fetches metrics pages itself."""
