"""Telling of a fault that lasts once, and not at every try."""

from __future__ import annotations

import logging


class Complaint:
    """Something that is tried again until it works. ``what`` begins the line in the log."""

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._told = ""

    def about(self, error: Exception) -> None:
        """It failed: tell of it, where that is new."""
        text = str(error)
        if text != self._told:
            self._told = text
            self._log.warning("%s: %s", self._what, text)

    def over(self) -> None:
        """It worked: tell of it, where it had failed before."""
        if self._told:
            self._told = ""
            self._log.info("%s no more: it works again", self._what)
