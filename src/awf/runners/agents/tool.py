"""An agent behind a command-line tool: started as a detached process, followed to its end by whatever engine there is."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from awf.domain.outcomes import Failed, Outcome, Usage, Written
from awf.engine.cancel import Cancel
from awf.engine.ports import Clock, Emit
from awf.journal.events import Stream
from awf.runners.agents.exchange import Exchange
from awf.runners.agents.lines import MOST, Lines
from awf.runners.agents.port import CommandLineProvider, Invocation, Parser, ProviderFailed
from awf.runners.agents.speech import Speech
from awf.runners.attempts import Attempts
from awf.runners.detached import Ended, Following, start
from awf.runners.recorder import Tail
from awf.runners.starting import NOT_FOUND_EXIT, made, started

REMEMBERED = 64 * 1024
"""Bytes of standard error that the provider sees."""


class Tool(Struct, frozen=True):
    """One attempt. ``began``: when, on the monotonic clock."""

    provider: CommandLineProvider
    exchange: Exchange
    emit: Emit
    attempts: Attempts
    grace: float
    clock: Clock
    began: float

    async def run(self, cancel: Cancel) -> Outcome:
        """Start the tool and follow it. Whatever it raises, the process may run."""
        request = self.exchange.request
        program = shutil.which(self.provider.program, path=request.environ.get("PATH"))
        if program is None:
            return self.exchange.refused(
                f"the command-line tool '{self.provider.program}' is not installed, or not in PATH; "
                f"to get it: {self.provider.install}",
                NOT_FOUND_EXIT,
            )
        invocation = self.provider.invocation(request)
        argv = [program if invocation.argv[0] == self.provider.program else invocation.argv[0]]
        argv += invocation.argv[1:]
        try:
            await made(lambda: self._keep(invocation), cancel)
        except OSError as error:
            message = f"cannot keep the output: {error.strerror}: {error.filename}"
            return self.exchange.refused(message, permanent=False)

        def start_it() -> subprocess.Popen[bytes]:
            return start(
                self.attempts,
                self.exchange.attempt_id,
                argv,
                cwd=Path(request.working_dir),
                env={**request.environ, **invocation.env},
                stdin=(invocation.stdin or "").encode(errors="replace"),
            )

        child = await started(start_it, self.provider.program, cancel)
        return child if isinstance(child, Failed) else await self.follow(child, cancel)

    def _keep(self, invocation: Invocation) -> None:
        """Make the files of the attempt. Raises OSError, and leaves nothing then."""
        files = self.attempts.create(self.exchange.attempt_id)
        try:
            for name, text in {**self.exchange.files, **invocation.files}.items():
                files.keep(name, text)
            for name, target in invocation.links.items():
                files.link(name, target)
        except OSError:
            files.remove()
            raise

    async def follow(self, child: subprocess.Popen[bytes] | None, cancel: Cancel) -> Outcome:
        """Follow the tool to its end; ``child`` None: another engine started it."""
        exchange = self.exchange
        stderr, too_much, broken = _Remembering(self.emit), Cancel(), Cancel()
        reading = _Reading(self.provider.parser(exchange.request), exchange.speech, broken)
        following = Following(
            self.attempts,
            exchange.attempt_id,
            stderr,
            None,
            self.grace,
            stdout=lambda path: Lines(path, reading.feed, too_much),
        )
        timeout = exchange.timeout
        if timeout is not None:
            timeout = max(0.0, timeout - (self.clock.monotonic() - self.began))
        try:
            with _either(cancel, too_much, broken) as stop:
                ended = await following.watch(child, stop, timeout)
        except OSError as error:
            return exchange.lost(f"its output cannot be read: {error.strerror}", 0.0, Written())
        if reading.fault is not None:
            raise reading.fault
        if too_much.is_set() and not cancel.is_set():
            message = f"it wrote more than {MOST // 2**20} MiB and was ended"
            return exchange.lost(message, self._took(ended), ended.written, _counted(reading.parser))
        return self._judge(reading.parser, ended, stderr.text(ended))

    def _judge(self, parser: Parser, ended: Ended, stderr: str) -> Outcome:
        exchange, duration = self.exchange, self._took(ended)
        if ended.stopped is not None:
            code = ended.code or 143
            return exchange.stopped(ended.stopped, duration, ended.written, code, _counted(parser))
        if ended.code is None:
            message = "it ended without leaving its exit status"
            return exchange.lost(message, duration, ended.written, _counted(parser))
        try:
            answer = parser.finish(ended.code, stderr)
        except ProviderFailed as failure:
            return exchange.failed(
                failure,
                duration,
                ended.written,
                code=ended.code,
                complaint=stderr,
                no_session=getattr(self.provider, "no_session", ""),
            )
        return exchange.answered(answer, duration, ended.written)

    def _took(self, ended: Ended) -> float:
        return max(0.0, self.clock.monotonic() - self.began - ended.since)


def told(parser: Parser, output: Path) -> Usage | None:
    """What a tool that was ended has counted, as far as its output says. Raises OSError where that is gone, and what the
    parser raises."""

    def feed(line: str) -> None:
        parser.feed(line)

    Lines(output, feed, Cancel()).finish()
    return _counted(parser)


def _counted(parser: Parser) -> Usage | None:
    """What a tool that was ended has counted by then."""
    try:
        return parser.finish(143, "").usage
    except ProviderFailed as failure:
        return failure.usage


class _Reading:
    """Gives lines to a parser, and what it makes of them to the speech. ``fault``: the parser has one, and ``broken`` is
    set."""

    def __init__(self, parser: Parser, speech: Speech, broken: Cancel) -> None:
        self.parser = parser
        self._speech = speech
        self._broken = broken
        self.fault: BaseException | None = None

    def feed(self, line: str) -> None:
        if self.fault is None:
            try:
                for event in self.parser.feed(line):
                    self._speech.say(event)
            except (Exception, SystemExit) as error:
                self.fault = error
                self._broken.set()


class _Remembering:
    """Passes on what comes from standard error, and keeps the end of it."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._tail = Tail(REMEMBERED)

    def __call__(self, stream: Stream, text: str, truncated: bool) -> None:
        self._tail.add(text.encode())
        self._emit(stream, text, truncated)

    def text(self, ended: Ended) -> str:
        """The end of all of it."""
        return ended.written.stderr_tail[-REMEMBERED:] or self._tail.text()


@contextlib.contextmanager
def _either(*events: Cancel) -> Iterator[Cancel]:
    """An event that is set with the first of these."""
    first = Cancel()
    for event in events:
        event.then(first.set)
    try:
        yield first
    finally:
        for event in events:
            event.forget(first.set)
