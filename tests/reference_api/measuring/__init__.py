"""What the strategies of the reference API are worth: commands that print the tables of the docs."""
