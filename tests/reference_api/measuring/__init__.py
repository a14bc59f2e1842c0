"""What the strategies of the reference API gain: commands that print the tables of the docs."""
