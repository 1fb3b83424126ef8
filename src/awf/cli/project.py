"""From the options of a command to settings: the project's root is the nearest ancestor with ``.awf/``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from awf.catalog import project_root
from awf.settings import Settings, load_settings


def settings_of(**arguments: Any) -> Settings:
    """Settings for the project that the current directory belongs to. Raises SettingsInvalid."""
    return load_settings(project_root(Path.cwd()), os.environ, arguments)
