"""Discovery of workflow files."""

from __future__ import annotations

from awf.catalog.catalog import Catalog
from awf.catalog.sources import config_directory, project_root

__all__ = ["Catalog", "config_directory", "project_root"]
