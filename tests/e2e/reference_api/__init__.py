"""The reference API on its real parts."""
