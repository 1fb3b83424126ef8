import asyncio
import os

from awf.runners.pipes import Pipe
from awf.runners.recorder import KEPT, RECORDED


def collect(data: list[bytes], *, end: bool = True) -> tuple[list[tuple[str, str, bool]], str, int]:
    """What a pipe delivers for these writes; ``end`` closes the writing side before ``finish``."""

    async def scenario() -> tuple[list[tuple[str, str, bool]], str, int]:
        got: list[tuple[str, str, bool]] = []
        read, write = os.pipe()
        pipe = Pipe(read, "stdout", lambda stream, text, truncated: got.append((stream, text, truncated)))
        loop = asyncio.get_running_loop()
        for piece in data:
            await loop.run_in_executor(None, _write_all, write, piece)
        if end:
            os.close(write)
        tail = pipe.finish()
        if not end:
            os.close(write)
        return got, tail, pipe.total

    return asyncio.run(scenario())


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def test_text_is_delivered_as_it_is() -> None:
    got, tail, total = collect([b"hello\n", b"world\n"])
    assert "".join(text for _, text, _ in got) == "hello\nworld\n"
    assert (tail, total) == ("", 12)


def test_a_character_that_is_cut_in_two_is_put_together() -> None:
    got, _, _ = collect(["é€😀".encode()[:4], "é€😀".encode()[4:]])
    assert "".join(text for _, text, _ in got) == "é€😀"


def test_invalid_utf_8_is_replaced_and_never_fatal() -> None:
    got, _, total = collect([b"a\xff\xfeb\xc3"])
    assert "".join(text for _, text, _ in got) == "a\ufffd\ufffdb\ufffd"
    assert total == 5


def test_the_beginning_is_recorded_and_the_end_is_kept() -> None:
    size = RECORDED + KEPT + 1000
    data = bytes(65 + i % 26 for i in range(26)) * (size // 26 + 1)
    got, tail, total = collect([data])
    recorded = "".join(text for _, text, _ in got)
    assert total == len(data)
    assert recorded.encode() == data[:RECORDED]
    assert [truncated for _, _, truncated in got].count(True) == 1
    assert got[-1][2]
    assert tail.encode() == data[-KEPT:]


def test_a_stream_of_exactly_the_recorded_size_is_not_truncated() -> None:
    got, tail, _ = collect([b"x" * RECORDED])
    assert not any(truncated for _, _, truncated in got)
    assert tail == ""


def test_a_writer_that_keeps_the_pipe_open_does_not_hold_it() -> None:
    got, _, _ = collect([b"partial"], end=False)
    assert got == [("stdout", "partial", False)]
