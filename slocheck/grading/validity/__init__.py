"""Is the measurement valid, and what follows if it is not?"""
