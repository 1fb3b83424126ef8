"""The client's shapes beside those of the server."""

from __future__ import annotations

import msgspec
import pytest

from awf.client import results
from awf.server import schemas

PAIRS = [
    (results.WorkflowSummary, schemas.WorkflowSummary),
    (results.Validation, schemas.Validation),
    (results.Waiting, schemas.Waiting),
    (results.Usage, schemas.Usage),
    (results.Execution, schemas.Execution),
    (results.ExecutionDetail, schemas.ExecutionDetail),
    (results.Step, schemas.Step),
    (results.StepOutput, schemas.StepOutput),
    (results.HistoryEntry, schemas.HistoryEntry),
    (results.Statistics, schemas.StatisticsSummary),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_client_knows_every_member_of_the_api(
    ours: type[msgspec.Struct], theirs: type[msgspec.Struct]
) -> None:
    members = {field.encode_name: field.required for field in msgspec.structs.fields(ours)}
    for field in msgspec.structs.fields(theirs):
        assert field.encode_name in members, f"{ours.__name__} lacks {field.encode_name}"
        if not field.required:
            assert not members[field.encode_name], f"{field.encode_name} can be absent"


def test_results_are_frozen_and_without_members_that_were_absent() -> None:
    found = results.Validation(errors=[])
    assert msgspec.to_builtins(found) == {"errors": []}
    assert found.valid
    with pytest.raises(AttributeError):
        found.errors = ["x"]  # type: ignore[misc]
