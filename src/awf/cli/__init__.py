"""The command line, one command per file."""

from __future__ import annotations

import gc

COLLECT_AFTER = 50_000
"""Objects made and not yet gone, after which the collector looks at the youngest. It is said before anything is loaded: what
is loaded at the start is no garbage, and looking for some took a tenth of ``awf list``."""

gc.set_threshold(COLLECT_AFTER, 20, 50)
