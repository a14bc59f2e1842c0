"""Is the measurement valid, and what follows where it is not?"""
