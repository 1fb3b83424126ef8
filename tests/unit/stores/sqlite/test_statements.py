from __future__ import annotations

import re
import sqlite3
from importlib.resources import files

import pytest

from awf.stores.sqlite.schema import migrate
from awf.stores.sqlite.statements import statement

PACKAGE = files("awf.stores.sqlite")
NAMES = sorted(path.name.removesuffix(".sql") for path in (PACKAGE / "queries").iterdir())

SCANS_ALLOWED = {
    "digests": "a check reads all of them",
    "orphans": "a check looks at every number once",
    "intents": "intents are few",
    "unfinished": "the index has nothing else",
    "latest_start": "reads one row",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, tmp_path_factory.getbasetemp())
    yield connection
    connection.close()


def _plan(database, name):
    text = statement(name)
    named = set(re.findall(r":([a-z_]+)", text))
    values = dict.fromkeys(named) if named else (None,) * text.count("?")
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", values)]


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_finds_its_rows_by_an_index(database, name):
    scans = [step for step in _plan(database, name) if re.match(r"SCAN (?!wanted|json_each|CONSTANT)", step)]
    assert (scans == []) or name in SCANS_ALLOWED


@pytest.mark.parametrize(
    "name",
    [
        "newest_by_status",
        "newest_by_workflow",
        "claim_unowned",
        "claim_abandoned",
        "steps",
        "latest_steps",
        "journal",
        "attempt_events",
    ],
)
def test_pages_are_read_in_the_order_of_their_index(database, name):
    assert not [step for step in _plan(database, name) if "TEMP B-TREE" in step]


def test_every_statement_is_used():
    code = "".join(path.read_text() for path in PACKAGE.iterdir() if path.name.endswith(".py"))
    assert set(NAMES) == set(re.findall(r'"([a-z_]+)"', code)) & set(NAMES)


def test_an_append_that_only_advances_touches_no_index(database):
    columns = set(re.findall(r"([a-z_]+) = :", statement("advance"))) - {"ordinal"}
    indexes = [row[1] for row in database.execute("PRAGMA index_list(executions)")]
    indexed = {row[2] for index in indexes for row in database.execute(f"PRAGMA index_xinfo({index})")}
    assert columns == {"last_seq", "updated_at", "current_step", "waiting_for"}
    assert columns & indexed == set()
