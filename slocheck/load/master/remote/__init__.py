"""Workers on other machines: which join, how far their clocks are ahead, how they end."""
