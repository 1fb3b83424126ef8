"""Writes what the pages below ``docs/`` say of the code: ``make docs``."""
