from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.server import Project
from system.browser import Browser
from system.pages import Pages


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def pages() -> Iterator[Pages]:
    with Pages() as pages:
        yield pages
