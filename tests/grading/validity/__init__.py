"""Is the measurement valid?"""
