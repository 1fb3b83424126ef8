"""What goes wrong with the storage while a server and an engine use it: told clearly, and over when it is over."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from contextlib import closing

import httpx

from acceptance.facts import Gate, until
from acceptance.server import Project, Server


def refused(server: Server) -> httpx.Response:
    """The answer to a run that cannot be accepted."""
    response = server.post("/api/workflows/short/run")
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) > 0
    assert str(server.project.storage) in response.json()["detail"]
    return response


def complaints(project: Project) -> list[str]:
    """What engines had to warn of."""
    return [
        line.split("] ", 1)[1]
        for line in (project.storage / "engine.log").read_text().splitlines()
        if " WARNING " in line
    ]


def check(project: Project) -> None:
    done = project.awf("db", "check")
    assert done.returncode == 0, done.stdout


def test_a_journal_that_is_removed_is_missed_at_once_and_a_copy_is_taken_up(project: Project) -> None:
    project.steps("short", "true")
    server = project.serve()
    before = server.run("short")
    server.wait(before)
    assert project.awf("db", "backup", "copy.db").returncode == 0
    later = server.run("short")
    server.wait(later)

    (project.storage / "journal.db").unlink()
    for _ in range(3):
        assert "removed while it was in use" in refused(server).json()["detail"]
    assert server.get(f"/api/executions/{before}").status_code == 503
    until(lambda: complaints(project), "the engine has noticed")
    assert not (project.storage / "journal.db").exists()

    (project.root / "copy.db").rename(project.storage / "journal.db")
    assert server.execution(before)["status"] == "completed"
    assert server.get(f"/api/executions/{later}").status_code == 404
    server.wait(server.run("short"))
    # One line when it came, and not one per try.
    assert sum("waiting for the store" in line for line in complaints(project)) <= 1
    check(project)


def test_an_execution_under_way_waits_for_its_journal_to_come_back(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("gated", f"echo begun; {gate.wait}; echo one >>lines", "echo two >>lines")
    project.steps("short", "true")
    server = project.serve()
    execution = server.run("gated")
    server.wait_event(execution, "output", "s1")
    (project.storage / "journal.db").rename(project.root / "elsewhere.db")
    refused(server)
    gate.open()
    waits = f"execution {execution} waits to be recorded"
    until(lambda: any(waits in line for line in complaints(project)), "its end waits to be recorded")
    (project.root / "elsewhere.db").rename(project.storage / "journal.db")
    server.wait(execution)
    assert (project.root / "lines").read_text() == "one\ntwo\n"
    assert sum(waits in line for line in complaints(project)) == 1
    check(project)


def test_a_log_that_is_removed_costs_nothing(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("gated", f"echo begun; {gate.wait}", "echo two")
    project.steps("short", "true")
    server = project.serve()
    finished, execution = server.run("short"), server.run("gated")
    server.wait(finished)
    server.wait_event(execution, "output", "s1")
    for name in ("journal.db-wal", "journal.db-shm"):
        (project.storage / name).unlink()
    after = server.run("short")
    gate.open()
    for wanted in (finished, execution, after):
        server.wait(wanted)
    assert {entry["id"] for entry in server.history()} == {finished, execution, after}
    check(project)
    server.close()
    assert project.awf("stop").returncode == 0
    check(project)


def test_a_damaged_journal_is_told_of_and_the_others_go_on(project: Project) -> None:
    project.steps("long", "seq 200000")
    project.steps("short", "true")
    with project.serve() as server:
        damaged, sound = server.run("long"), server.run("short")
        server.wait(damaged)
        server.wait(sound)
    assert project.awf("stop").returncode == 0
    # In the middle of what was written, where the page is nobody else's. The number alone may also stand in a time or a length.
    damage(project, rb"\n100000\n100001\n")

    server = project.serve()
    response = server.get(f"/api/executions/{damaged}/steps/1/output")
    # 503 where SQLite finds the damage, 500 where it hides in the text of an entry.
    assert response.status_code in {500, 503}
    assert str(project.storage) in response.json()["detail"]
    assert "is damaged" in response.json()["detail"]
    assert "`awf db check` says where: put back a copy" in response.json()["detail"]
    assert server.execution(sound)["status"] == "completed"
    server.wait(server.run("short"))
    assert len(server.history()) == 3
    done = project.awf("db", "check")
    assert done.returncode == 4
    assert damaged in done.stdout
    assert sound not in done.stdout


def damage(project: Project, content: bytes) -> None:
    """Overwrite a page that holds this."""
    path = project.storage / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = db.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray(path.read_bytes())
    start = data.index(content) // size * size
    data[start : start + size] = b"\xa5" * size
    path.write_bytes(data)


def test_reads_are_answered_while_the_disk_is_slow(project: Project) -> None:
    project.steps("short", "true")
    server = project.serve()
    execution = server.run("short")
    server.wait(execution)
    answers: list[httpx.Response] = []
    run = threading.Thread(target=lambda: answers.append(server.post("/api/workflows/short/run")))
    # As a writer whose disk takes its time.
    with (project.storage / "write").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run.start()
        for _ in range(20):
            assert server.execution(execution)["status"] == "completed"
            assert len(server.history()) == 1
            assert server.get("/api/workflows").status_code == 200
        assert answers == []
    run.join()
    assert answers[0].status_code == 202
    server.wait(answers[0].json()["body"]["execution_id"])
