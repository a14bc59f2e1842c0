"""The ladder's climb as text and as a page."""
