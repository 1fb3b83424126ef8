from __future__ import annotations

import os
from pathlib import Path

from awf.catalog import config_directory, project_root
from awf.catalog.sources import sources


def test_the_root_is_the_nearest_directory_with_awf_in_it(tmp_path: Path) -> None:
    (tmp_path / "a" / ".awf").mkdir(parents=True)
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert project_root(deep) == tmp_path / "a"
    (deep.parent / ".awf").mkdir()
    assert project_root(deep) == deep.parent


def test_without_one_the_root_is_where_one_starts(tmp_path: Path) -> None:
    (tmp_path / ".awf").write_text("a file")
    assert project_root(tmp_path) == tmp_path


def test_the_configuration_directory() -> None:
    assert config_directory({"HOME": "/h"}) == Path("/h/.config/awf")
    assert config_directory({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}) == Path("/x/awf")
    assert config_directory({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}) == Path("/h/.config/awf")
    assert config_directory({"HOME": "/h", "XDG_CONFIG_HOME": "/x", "AWF_CONFIG_HOME": "~/c"}) == Path("/h/c")


def test_the_order_of_the_sources(tmp_path: Path) -> None:
    listed = os.pathsep.join(["/one", "", "~/two", "three"])
    found = sources(tmp_path, {"HOME": "/h", "AWF_WORKFLOWS_PATH": listed})
    assert [(source.name, source.directory) for source in found] == [
        ("env", Path("/one")),
        ("env", Path("/h/two")),
        ("env", Path.cwd() / "three"),
        ("local", tmp_path / ".awf" / "workflows"),
        ("global", Path("/h/.config/awf/workflows")),
    ]
