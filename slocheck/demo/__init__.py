"""The reference API: a small shop whose metrics are named as the shipped spec expects."""
