"""Charts as inline SVG, and the columns that they are drawn from."""
