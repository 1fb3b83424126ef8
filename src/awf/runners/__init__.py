"""Step kinds, one per file."""
