"""The providers that come with awf, by name. To add one: a file, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from awf.runners.agents.port import Provider

_PROVIDERS = {
    "claude": ("claude", "Claude"),
    "codex": ("codex", "Codex"),
    "gemini": ("gemini", "Gemini"),
    "github_copilot": ("github_copilot", "GitHubCopilot"),
    "mistral_vibe": ("mistral_vibe", "MistralVibe"),
    "opencode": ("opencode", "OpenCode"),
    "openai_compatible": ("openai_compatible", "OpenAICompatible"),
}
"""Each one's module beside this one, and its class there."""


def build_providers() -> Mapping[str, Provider]:
    """All of them."""
    found: dict[str, Provider] = {}
    for name, (module, kind) in _PROVIDERS.items():
        found[name] = getattr(import_module(f"{__package__}.{module}"), kind)()
    return found
