"""What handlers get without asking: the service and the feeds, provided by the application."""

from __future__ import annotations

from typing import TypeAlias

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from awf.engine.service import Service
from awf.server.feed import Feeds

TheService: TypeAlias = NamedDependency[SkipValidation[Service]]
TheFeeds: TypeAlias = NamedDependency[SkipValidation[Feeds]]
