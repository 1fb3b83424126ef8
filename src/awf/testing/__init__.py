"""Fakes, the store contract and fault injection, for our tests and those of plug-in authors."""
