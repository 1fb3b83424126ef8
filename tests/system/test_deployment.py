"""What the page about deployment shows, checked by the programs that it is for."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.facts import until
from acceptance.pages import CHECKOUT, blocks
from acceptance.ports import free_port
from acceptance.server import Project
from awf.client import Client, RemoteError

PAGE = CHECKOUT / "docs" / "deployment.md"


def block(language: str) -> str:
    """The one block of a language on the page."""
    (found,) = (each.text for each in blocks(PAGE) if each.language == language)
    return found


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("awf"))
    unit = tmp_path / "awf.service"
    unit.write_text(
        block("ini").replace("/opt/awf/.venv/bin/awf", program).replace("/srv/shop", str(tmp_path))
    )
    done = run("systemd-analyze", "verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("KillMode=process", "KillMode=never-heard-of"))
    assert "kill mode" in run("systemd-analyze", "verify", str(unit)).stderr


def test_clients_work_through_the_proxy(project: Project) -> None:
    port = free_port()
    server = project.serve("--allow-host", "awf.example.org")
    made = run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"),
        cwd=project.root,
    )
    assert made.returncode == 0, made.stderr
    hashed = run("openssl", "passwd", "-apr1", "secret").stdout.strip()
    (project.root / "htpasswd").write_text(f"ci:{hashed}\n")
    (project.root / "htpasswd").chmod(0o644)
    site = (
        block("nginx")
        .replace("443 ssl", f"127.0.0.1:{port} ssl")
        .replace("/etc/ssl/certs/awf.example.org.pem", f"{project.root}/cert.pem")
        .replace("/etc/ssl/private/awf.example.org.key", f"{project.root}/key.pem")
        .replace("/etc/nginx/awf.htpasswd", f"{project.root}/htpasswd")
        .replace("127.0.0.1:2511", f"127.0.0.1:{server.port}")
    )
    config = project.root / "nginx.conf"
    config.write_text(
        f"daemon off; user root; pid {project.root}/nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{site}}}\n"
    )
    checked = run("nginx", "-t", "-c", str(config))
    assert checked.returncode == 0, checked.stderr
    project.steps("hello", "echo hello")
    proxy = subprocess.Popen(["nginx", "-c", str(config)], cwd=project.root, stderr=subprocess.DEVNULL)
    try:
        _through(project, port)
    finally:
        proxy.terminate()
        proxy.wait(10)


def _through(project: Project, port: str) -> None:
    def listens() -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", int(port))) == 0

    until(listens, "nginx listens")
    certificate = {"SSL_CERT_FILE": str(project.root / "cert.pem")}
    url = f"https://ci:secret@localhost:{port}"
    for command in (("list",), ("run", "hello"), ("history",)):
        done = project.awf("--server", url, *command, env=certificate)
        assert done.returncode == 0, done.stderr
        assert "hello" in done.stdout
        assert "secret" not in done.stderr
    refused = project.awf("--server", url.replace("secret", "wrong"), "list", env=certificate)
    assert refused.returncode == 4
    assert "401 Unauthorized" in refused.stderr
    assert "wrong" not in refused.stderr


@pytest.mark.timeout(300)  # It installs from the network.
def test_the_lines_of_the_container_file_run_in_a_clean_directory(tmp_path: Path) -> None:
    assert (CHECKOUT / "Dockerfile").read_text() == block("dockerfile")
    clean = tmp_path / "clean"
    files = run("git", "ls-files", "-z", *_let_in(), cwd=CHECKOUT).stdout.split("\0")
    for name in filter(None, files):
        (clean / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, clean / name)
    lines = re.findall(r"^RUN (.*/opt/venv.*)$", block("dockerfile"), re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        done = run("sh", "-ec", line.replace("/opt/venv", f"{tmp_path}/venv"), cwd=clean)
        assert done.returncode == 0, done.stderr
    done = run(f"{tmp_path}/venv/bin/awf", "--version", cwd=tmp_path)
    assert done.stdout.startswith("awf, version ")


def _let_in() -> list[str]:
    """What ``.dockerignore`` lets into the image."""
    first, *others = (CHECKOUT / ".dockerignore").read_text().splitlines()
    assert first == "*"
    return [line.removeprefix("!") for line in others if line.startswith("!")]


def test_the_proxy_that_is_not_told_of_is_refused(project: Project) -> None:
    server = project.serve()
    with (
        Client(server.url, headers={"Host": "awf.example.org"}) as client,
        pytest.raises(RemoteError, match="--allow-host"),
    ):
        client.workflows()
