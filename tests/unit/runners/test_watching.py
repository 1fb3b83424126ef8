"""Files of steps that can be read, told by one epoll."""

import asyncio
import gc
import os
import weakref

from awf.runners.watching import Watch, watch


def test_who_watches_is_called_as_long_as_there_is_something_to_read() -> None:
    async def read() -> bytes:
        end, start = os.pipe()
        found, over = [], asyncio.Event()

        def take() -> None:
            found.append(os.read(end, 2))
            if not found[-1]:
                watch().remove(end)
                over.set()

        watch().add(end, take)
        os.write(start, b"abcde")
        os.close(start)
        await over.wait()
        os.close(end)
        return b"".join(found)

    assert asyncio.run(read()) == b"abcde"


def test_who_is_removed_by_another_is_not_called() -> None:
    async def both() -> list[int]:
        pipes = [os.pipe() for _ in range(2)]
        called, over = [], asyncio.Event()

        def first_come(fd: int) -> None:
            called.append(fd)
            for end, _ in pipes:
                watch().remove(end)
            over.set()

        for end, start in pipes:
            os.write(start, b"x")
            watch().add(end, lambda end=end: first_come(end))
        await over.wait()
        for ends in pipes:
            for fd in ends:
                os.close(fd)
        return called

    assert len(asyncio.run(both())) == 1


def test_one_that_raises_does_not_keep_the_others_from_being_called() -> None:
    async def both() -> None:
        pipes = [os.pipe() for _ in range(2)]
        over = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        for _, start in pipes:
            os.write(start, b"x")

        def fail() -> None:
            raise ValueError

        watch().add(pipes[0][0], fail)
        watch().add(pipes[1][0], over.set)
        await over.wait()
        for end, start in pipes:
            watch().remove(end)
            os.close(end)
            os.close(start)

    asyncio.run(both())


def test_a_loop_has_one_and_takes_it_along() -> None:
    async def twice() -> "weakref.ref[Watch]":
        assert watch() is watch()
        return weakref.ref(watch())

    gone = asyncio.run(twice())
    gc.collect()
    assert gone() is None
