"""A provider of agents: ``provider: sample_echo``. It says what it is asked, word by word."""

from __future__ import annotations

from collections.abc import Callable

from awf.plugin import Answer, Event, ProviderFailed, Request, Text, Usage


class Echo:
    """A :class:`awf.plugin.RemoteProvider` that needs no network."""

    api_version = 1
    name = "sample_echo"

    def check(self, request: Request) -> list[str]:
        """It has one model."""
        return (
            [] if request.model in {"", "parrot"} else [f"unknown model '{request.model}' (it has: parrot)"]
        )

    async def ask(self, request: Request, say: Callable[[Event], None]) -> Answer:
        """Say the prompt."""
        if request.options.get("mute"):
            raise ProviderFailed("it is mute", retry_after=request.options.get("retry_after"))
        words = request.prompt.split()
        for number, word in enumerate(words):
            say(Text(word if number == 0 else f" {word}"))
        return Answer(text=" ".join(words), usage=Usage(input=len(words), output=len(words)))
