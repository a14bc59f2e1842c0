"""Workers on other machines: who joins, how far their clocks are ahead, what becomes of them."""
