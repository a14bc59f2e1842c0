"""Options as they are typed, and what the commands get of them."""
