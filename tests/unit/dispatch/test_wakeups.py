import asyncio
import os
from pathlib import Path

from awf.dispatch.wakeups import Wakeups, runtime_directory


def test_the_directory_is_private_short_and_the_same_for_the_same_store(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    first = runtime_directory(tmp_path / "store", environ)
    assert first is not None
    assert first == runtime_directory(tmp_path / "store", environ)
    assert first != runtime_directory(tmp_path / "other", environ)
    assert first.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_others_can_enter_is_not_used(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    directory = runtime_directory(tmp_path / "store", environ)
    assert directory is not None
    directory.chmod(0o755)
    assert runtime_directory(tmp_path / "store", environ) is None


def test_a_notification_reaches_every_listener_of_the_role(tmp_path: Path) -> None:
    async def scenario() -> None:
        engines = [Wakeups(tmp_path, "engine", name) for name in ("aaaa", "bbbb")]
        server = Wakeups(tmp_path, "server", "cccc")
        woken = [asyncio.Event(), asyncio.Event()]
        for engine, event in zip(engines, woken, strict=True):
            engine.listen(event.set)
        server.notify("engine")
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in woken)), 5)
        for end in [*engines, server]:
            end.close()

    asyncio.run(scenario())


def test_the_socket_of_a_dead_process_is_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        dead = Wakeups(tmp_path, "engine", "dead")
        dead.listen(lambda: None)
        assert dead._receiver is not None
        asyncio.get_running_loop().remove_reader(dead._receiver)
        dead._receiver.close()
        dead._receiver = None
        server = Wakeups(tmp_path, "server", "s")
        server.notify("engine")
        await asyncio.sleep(0)
        assert not [name for name in os.listdir(tmp_path) if name.startswith("engine")]
        server.close()
        dead.close()

    asyncio.run(scenario())


def test_a_muted_end_is_not_woken_and_hears_again_later(tmp_path: Path) -> None:
    async def scenario() -> None:
        server, engine = Wakeups(tmp_path, "server", "s"), Wakeups(tmp_path, "engine", "e")
        heard = asyncio.Event()
        server.listen(heard.set)
        server.mute()
        assert not list(tmp_path.glob("server*"))
        server.listen(heard.set)
        engine.notify("server")
        await asyncio.wait_for(heard.wait(), 5)
        server.close()
        engine.close()

    asyncio.run(scenario())
    assert not tmp_path.exists()


def test_marks_are_left_seen_and_cleared(tmp_path: Path) -> None:
    end = Wakeups(tmp_path, "server", "s")
    assert end.mark_cancel("some-execution")
    assert end.cancel_marks() == ["some-execution"]
    end.clear_mark("some-execution")
    assert end.cancel_marks() == []
    end.close()


def test_without_a_directory_nothing_fails(tmp_path: Path) -> None:
    async def scenario() -> None:
        end = Wakeups(None, "engine", "e")
        end.listen(lambda: None)
        end.notify("server")
        assert not end.mark_cancel("x")
        assert end.cancel_marks() == []
        end.close()

    asyncio.run(scenario())
