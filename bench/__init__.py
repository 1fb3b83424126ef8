"""Measurements of the real server, each beside its floor. Run with ``python -m bench``; see docs/benchmarks.md."""
