from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.server import Project, Server


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.close()


@pytest.fixture
def server(project: Project) -> Server:
    return project.serve()


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over the repository's examples, shared by the tests of a module."""
    project = Project(tmp_path_factory.mktemp("examples"))
    project.take_examples()
    yield project.serve()
    project.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a project that the tests of a module fill, none of which disturbs it."""
    project = Project(tmp_path_factory.mktemp("shared"))
    yield project.serve()
    project.close()
