"""One attempt of an agent: who is asked what, what is said meanwhile, and what its end means for the step."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from awf.domain.outcomes import Cancelled, Failed, Outcome, Product, Succeeded, Usage, Written
from awf.domain.timestamps import duration_text
from awf.journal.events import AgentCall
from awf.runners.agents.bounds import cut_middle, sound
from awf.runners.agents.port import Answer, BudgetUsedUp, Message, ProviderFailed, Request, Text, TextBlock
from awf.runners.agents.results import NotJson, as_json, product, sane
from awf.runners.agents.speech import Speech
from awf.runners.retry_after import sound_wait
from awf.runners.starting import CANNOT_START_EXIT

TIMEOUT_EXIT = 124
LOST_EXIT = 137

LONGEST_ERROR = 64 * 1024
"""Bytes of what a provider says about a failure."""

LONGEST_COMPLAINT = 4096
"""Characters of standard error that an error shows."""


class Exchange(Struct, frozen=True):
    """``attempt_id`` names the attempt; ``timeout`` in seconds. ``request`` has what ``call`` says, with real values.
    ``files``: what lies in the attempt's directory meanwhile, by name."""

    attempt_id: str
    call: AgentCall
    request: Request
    speech: Speech
    timeout: float | None
    files: Mapping[str, str] = field(default_factory=dict)

    def answered(self, answer: Answer, duration: float, stderr: Written) -> Outcome:
        """The agent has answered. Where it said nothing meanwhile, the answer is what it said."""
        if self.speech.silent:
            self.speech.say(Text(answer.text))
        if not self.speech.told:
            self.speech.say(Message("assistant", (TextBlock(answer.text),)))
        written = self._written(stderr)
        made = product(self.request, answer)
        try:
            if self.call.output_format == "json":
                made = as_json(made)
        except NotJson as error:
            return Failed(str(error), 1, duration, written, product=made)
        return Succeeded(0, duration, written, product=made)

    def failed(
        self,
        failure: ProviderFailed,
        duration: float,
        stderr: Written,
        *,
        code: int = 0,
        complaint: str = "",
        no_session: str = "",
    ) -> Failed:
        """The provider has none. ``code`` and ``complaint``: with what its tool ended, and what it wrote to its standard
        error. ``no_session``: what it says of sessions that it does not have."""
        message = cut_middle(sound(failure.message.strip()), LONGEST_ERROR)
        error = f"{self.call.provider}: {message or 'it failed and did not say why'}"
        complaint = complaint.strip()[-LONGEST_COMPLAINT:]
        if complaint and complaint not in error:
            error = f"{error}\n{complaint}"
        return Failed(
            error,
            code or (failure.exit_code if type(failure.exit_code) is int else 1),
            duration,
            self._written(stderr),
            product=self._cost(failure.usage),
            retry_after=sound_wait(failure.retry_after),
            permanent=failure.permanent is True,
            no_session=bool(
                self.request.session and self.request.turns and no_session and no_session in error
            ),
            held=isinstance(failure, BudgetUsedUp),
        )

    def refused(self, message: str, code: int = CANNOT_START_EXIT, *, permanent: bool = True) -> Failed:
        """It cannot be asked."""
        return Failed(f"{self.call.provider}: {sound(message)}", code, permanent=permanent)

    def lost(self, message: str, duration: float, stderr: Written, usage: Usage | None = None) -> Failed:
        """Its end is not known, or not its own. ``usage``: what it has cost all the same."""
        error = f"{self.call.provider}: {message}"
        return Failed(error, LOST_EXIT, duration, self._written(stderr), product=self._cost(usage))

    def stopped(
        self, how: str, duration: float, stderr: Written, code: int = 143, usage: Usage | None = None
    ) -> Outcome:
        """It has been ended: by ``cancel`` or ``timeout``. ``usage``: what it has cost all the same."""
        if how == "cancel":
            return Cancelled(code, duration, self._written(stderr), product=self._cost(usage))
        error = f"timeout exceeded ({duration_text(self.timeout or 0)})"
        return Failed(error, TIMEOUT_EXIT, duration, self._written(stderr), product=self._cost(usage))

    def _cost(self, usage: Usage | None) -> Product | None:
        """What is known of a result where there is no answer."""
        known = self.speech.spent if usage is None else sane(usage)
        return None if known is None else Product(usage=known)

    def _written(self, stderr: Written) -> Written:
        said = self.speech.finish()
        return replace(said, stderr_bytes=stderr.stderr_bytes, stderr_tail=stderr.stderr_tail)
