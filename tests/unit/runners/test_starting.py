"""On a machine that has too little of something just now, what is to be started waits."""

from __future__ import annotations

import asyncio
import errno
import resource
from pathlib import Path

import pytest

from awf.domain.outcomes import Failed
from awf.engine.cancel import Cancel
from awf.runners import starting
from awf.runners.attempts import AttemptFiles
from awf.runners.starting import made, started


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "EXHAUSTED_PAUSE", 0)


class Scarce:
    """Fails so often for lack of something, then gives it."""

    def __init__(self, lack: int, times: int) -> None:
        self.lack = lack
        self.times = times

    def __call__(self) -> str:
        self.times -= 1
        if self.times >= 0:
            raise OSError(self.lack, "lack", "a file")
        return "made"


@pytest.mark.parametrize("lack", [errno.ENOSPC, errno.EDQUOT, errno.EMFILE])
def test_what_is_made_waits_for_space(lack: int) -> None:
    assert asyncio.run(made(Scarce(lack, 3), Cancel())) == "made"


def test_what_cannot_be_made_or_is_not_wanted_any_more_does_not_wait() -> None:
    async def scenario() -> None:
        with pytest.raises(OSError, match="lack"):
            await made(Scarce(errno.EACCES, 1), Cancel())
        cancel = Cancel()
        cancel.set()
        with pytest.raises(OSError, match="lack"):
            await made(Scarce(errno.ENOSPC, 1), cancel)

    asyncio.run(scenario())


def test_a_process_waits_for_what_the_machine_lacks_and_for_nothing_else() -> None:
    assert asyncio.run(started(Scarce(errno.EAGAIN, 3), "sh", Cancel())) == "made"
    failed = asyncio.run(started(Scarce(errno.ENOENT, 1), "sh", Cancel()))
    assert isinstance(failed, Failed)
    assert (failed.error, failed.exit_code) == ("cannot start sh: lack", 127)


def test_files_that_could_not_all_be_made_leave_nothing(tmp_path: Path) -> None:
    files = AttemptFiles(tmp_path / "run.1.1")
    allowed, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    try:
        with pytest.raises(OSError, match="too large"):
            files.create("boot")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, most))
    assert not files.directory.exists()
    files.create("boot")
    assert files.record().boot == "boot"
