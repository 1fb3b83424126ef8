"""The table of providers."""

from __future__ import annotations

from awf.domain.agents import PROVIDERS
from awf.runners.agents.registry import build_providers


def test_they_are_those_that_the_language_knows_under_their_own_names():
    providers = build_providers()
    assert set(providers) == set(PROVIDERS)
    assert {name: provider.name for name, provider in providers.items()} == {name: name for name in providers}


def test_a_tool_says_how_to_get_it():
    tools = [provider for provider in build_providers().values() if provider.name != "openai_compatible"]
    assert tools
    for tool in tools:
        assert tool.program
        assert tool.install.split()[0] in {"npm", "pip", "uv"}
