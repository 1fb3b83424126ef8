"""Stores of journals, all held to one contract."""
