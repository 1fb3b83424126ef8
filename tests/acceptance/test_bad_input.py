"""What users get wrong, and what the machine holds ready: one clear message each, and nothing else suffers."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acceptance.server import Project, Server
from acceptance.sse import outline


def alias_bomb(path: Path) -> None:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))
    path.write_text(f"name: bad\na0: &a0 [x]\n{levels}\n")


BROKEN: dict[str, Callable[[Path], object]] = {
    "broken yaml": lambda path: path.write_text("name: bad\nstates: [unclosed\n"),
    "a directory": lambda path: path.mkdir(),
    "an empty file": lambda path: path.touch(),
    "only comments": lambda path: path.write_text("# nothing here\n"),
    "a file of 10 MB": lambda path: path.write_text("name: bad\n" + "# padding of a line\n" * 500_000),
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "not utf-8": lambda path: path.write_bytes(b"name: bad\ndescription: \xff\xfe\n"),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 64),
    "a list": lambda path: path.write_text("- name: bad\n"),
    "a text": lambda path: path.write_text("bad"),
    "two documents": lambda path: path.write_text("name: bad\n---\nname: worse\n"),
    "duplicate keys": lambda path: path.write_text(
        "name: bad\nname: bad\nstates: {initial: a, a: {type: terminal}}\n"
    ),
    "an alias bomb": alias_bomb,
    "deep nesting": lambda path: path.write_text("name: bad\nx: " + "[" * 5000 + "]" * 5000 + "\n"),
    "a python object": lambda path: path.write_text(
        "name: !!python/object/apply:os.system ['touch pwned']\n"
    ),
}


@pytest.fixture(scope="module")
def surrounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that started over one good workflow and every kind of bad one."""
    project = Project(tmp_path_factory.mktemp("surrounded"))
    for number, write in enumerate(BROKEN.values()):
        write(project.root / ".awf" / "workflows" / f"bad-{number}.yaml")
    project.steps("good", "true")
    yield project.serve()
    project.close()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_bad_file_says_what_is_wrong(surrounded: Server, kind: str) -> None:
    name = f"bad-{list(BROKEN).index(kind)}"
    before = len(surrounded.said())
    errors = surrounded.post(f"/api/workflows/{name}/validate").json()["body"]["errors"]
    assert errors
    assert all(f"{name}.yaml:" in error for error in errors)
    run = surrounded.post(f"/api/workflows/{name}/run")
    assert run.status_code == 422
    assert run.json()["detail"].startswith("failed to start execution: ")
    assert f"{name}.yaml" in run.json()["detail"]
    assert surrounded.get(f"/api/workflows/{name}").status_code in {200, 422}
    validated = surrounded.project.awf("validate", name)
    assert validated.returncode == 2
    assert f"{name}.yaml:" in validated.stdout
    assert "Traceback" not in validated.stdout + validated.stderr + surrounded.said()[before:]
    assert not (surrounded.project.root / "pwned").exists()


def test_bad_files_hide_no_other(surrounded: Server) -> None:
    listed = {item["name"]: item for item in surrounded.body("/api/workflows")["workflows"]}
    assert listed.keys() == {"good", *(f"bad-{number}" for number in range(len(BROKEN)))}
    assert "error" not in listed["good"]
    assert surrounded.wait(surrounded.run("good"))
    assert surrounded.project.awf("validate", "good").returncode == 0
    assert "Traceback" not in surrounded.said()


def test_files_that_come_change_and_go_are_seen_by_the_next_request(project: Project) -> None:
    server = project.serve()
    assert server.body("/api/workflows") == {"workflows": []}
    path = project.steps("new", "echo one")
    assert server.wait(server.run("new"))["steps"][0]["output"] == "one\n"
    path.write_text("broken: [")
    assert server.post("/api/workflows/new/run").status_code == 422
    project.steps("new", "echo two")
    assert server.wait(server.run("new"))["steps"][0]["output"] == "two\n"
    path.unlink()
    assert server.get("/api/workflows/new").status_code == 404


def one_line(project: Project, *options: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """The exit status of a server that cannot start, and the one line it says."""
    done = project.awf("serve", *options, env=env)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("awf: ")
    return done.returncode, line


def test_a_port_in_use_is_one_line_that_names_the_flag(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, line = one_line(project, "--port", port)
    assert status == 4
    assert port in line
    assert "--port" in line
    assert not project.storage.exists()


def test_a_second_server_on_the_same_port_disturbs_nothing(project: Project) -> None:
    project.steps("short", "true")
    server = project.serve()
    assert one_line(project, "--port", server.port)[0] == 4
    assert server.wait(server.run("short"))


@pytest.mark.parametrize(
    ("options", "status", "named"),
    [
        (("--host", "nowhere.invalid"), 4, "--host"),
        (("--host", "203.0.113.7"), 4, "--host"),
        (("--port", "99999"), 1, "--port"),
        (("--port", "-1"), 1, "--port"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(
    project: Project, options: tuple[str, ...], status: int, named: str
) -> None:
    found, line = one_line(project, *options)
    assert found == status
    assert named in line


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_ipv6_is_served_where_the_machine_has_it(project: Project, host: str) -> None:
    if has_ipv6():
        server = project.serve("--host", host)
        assert server.url == f"http://[::1]:{server.port}"
        assert server.body("/api/workflows") == {"workflows": []}
    else:
        assert "--host" in one_line(project, "--host", host, "--port", "0")[1]


def test_a_storage_path_that_is_a_file_is_named(project: Project) -> None:
    place = project.root / "a file"
    place.write_text("precious")
    status, line = one_line(project, "--port", "0", "--storage", str(place))
    assert status == 4
    assert str(place) in line
    assert "--storage" in line
    assert place.read_text() == "precious"


@pytest.mark.parametrize(
    "content", [b"this is no database", b"\0" * 8192, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_storage_that_holds_something_else_is_left_alone(project: Project, content: bytes) -> None:
    project.storage.mkdir()
    journal = project.storage / "journal.db"
    journal.write_bytes(content)
    status, line = one_line(project, "--port", "0")
    assert status == 4
    assert str(project.storage) in line
    assert journal.read_bytes() == content


def test_a_storage_of_a_newer_version_is_left_alone(project: Project) -> None:
    with project.serve():
        pass
    for engine in project.engines():
        os.kill(engine, 9)
    with sqlite3.connect(project.storage / "journal.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    status, line = one_line(project, "--port", "0")
    assert status == 4
    assert "newer" in line


@pytest.mark.parametrize(
    ("text", "named"),
    [("server: [", "config.yaml"), ("server: {port: many}", "server.port"), ("- a", "config.yaml")],
)
def test_a_bad_configuration_file_is_one_line_that_names_it(project: Project, text: str, named: str) -> None:
    (project.root / ".awf" / "config.yaml").write_text(text)
    done = project.awf("serve")
    assert done.returncode == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_setting_is_told_at_the_start_also_where_an_argument_replaces_it(project: Project) -> None:
    (project.root / ".awf" / "config.yaml").write_text("server: {port: many}")
    status, line = one_line(project, "--port", "0")
    assert status == 1
    assert "config.yaml: server.port" in line


NASTY = {
    "unicode": "Größe — 東京 — עברית — 👩‍👩‍👧‍👦 — \u202e — e\u0301",
    "shell": "$(touch pwned) `touch pwned`; touch pwned && \\ | > pwned < * ? [a-z] ~ !! # %s {a,b}",
    "quotes": "'; touch pwned; '\" \"; touch pwned; \"' '\"'\"' \\' \\\" \\\\",
    "lines": "first\nsecond\r\n\tthird\n\n EOF\nEOF\n$X",
    "templates": "{{inputs.other}} {{.inputs.value}} {{raw .inputs.value}} }} {{",
    "options": "-n -e --help",
    "control": "\x01\x07\x1b[31m\x7f",
    "blank": "  leading and trailing  ",
    "large": "0123456789abcdé" * 20_000,
}


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a workflow that says its input in every way."""
    project = Project(tmp_path_factory.mktemp("echo"))
    project.workflow(
        "echo",
        """
name: echo
version: "1.0.0"
inputs:
  - {name: value, type: string, required: true}
states:
  initial: double
  double: {type: step, command: 'printf "%s" "{{inputs.value}}"', on_success: single}
  single: {type: step, command: "printf '%s' '{{.inputs.value}}'", on_success: here}
  here: {type: step, command: "cat <<END\\n{{inputs.value}}\\nEND\\n", on_success: quoted}
  quoted: {type: step, command: 'printf "%s" "{{states.double.Output}}"', on_success: done}
  done: {type: terminal}
""",
    )
    yield project.serve()
    project.close()


@pytest.mark.parametrize("kind", NASTY)
def test_values_are_data_wherever_they_stand(echo: Server, kind: str) -> None:
    value = NASTY[kind]
    execution = echo.run("echo", value=value)
    shown = echo.wait(execution)
    outputs = {
        step["name"]: echo.body(f"/api/executions/{execution}/steps/{step['number']}/output")["output"]
        for step in shown["steps"]
    }
    assert outputs == {"double": value, "single": value, "here": f"{value}\n", "quoted": value}
    assert shown["inputs"]["value"] == value
    assert not (echo.project.root / "pwned").exists()


def test_names_of_every_script_work_everywhere(tmp_path: Path) -> None:
    project = Project(tmp_path / "Projekt – 東京 🌍")
    try:
        project.workflow(
            "größe",
            "name: größe\nversion: '1'\ndescription: 'misst — 測る'\nstates:\n  initial: messen\n"
            "  messen: {type: step, command: 'echo größe: 3 µm; pwd', on_success: 終わり}\n  終わり: {type: terminal}\n",
        )
        server = project.serve()
        assert server.body("/api/workflows")["workflows"] == [
            {"name": "größe", "version": "1", "description": "misst — 測る"}
        ]
        execution = server.run("größe")
        shown = server.wait(execution)
        assert shown["workflow_name"] == "größe"
        assert shown["current_step"] == "終わり"
        assert shown["steps"][0]["output"] == f"größe: 3 µm\n{project.root}\n"
        assert outline(server.events(execution))[0] == "step.started messen"
        assert [entry["id"] for entry in server.history("?workflow=größe")] == [execution]
        assert project.awf("validate", "größe").returncode == 0
    finally:
        project.close()


def test_files_of_the_project_are_not_modules_of_awf(project: Project) -> None:
    (project.root / "queue.py").write_text("raise SystemExit('imported from the project')")
    project.steps("plain", "true")
    with project.serve() as server:
        server.wait(server.run("plain"))


def test_a_storage_directory_that_is_removed_takes_no_more_work(project: Project) -> None:
    project.steps("plain", "true")
    with project.serve() as server:
        server.wait(server.run("plain"))
        shutil.rmtree(project.storage)
        refused = server.post("/api/workflows/plain/run")
        assert refused.status_code == 503
        detail = refused.json()["detail"]
        assert f"{project.storage} cannot be used: its journal.db has been removed" in detail
        assert "put it back" in detail
