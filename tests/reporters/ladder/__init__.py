"""The climb of the ladder as text and as a page."""
