"""What handlers get without asking: the service and the feeds, provided by the application."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from litestar.params import Dependency

from awf.engine.service import Service
from awf.server.feed import Feeds

TheService: TypeAlias = Annotated[Service, Dependency(skip_validation=True)]
TheFeeds: TypeAlias = Annotated[Feeds, Dependency(skip_validation=True)]
