"""The snippets of ``seed.md``."""

from __future__ import annotations

import re
from pathlib import Path

BLOCK = re.compile(r"^## (\w+)\n+```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPETS = dict(BLOCK.findall((Path(__file__).parent / "seed.md").read_text()))
ADDRESS = re.compile(r"(?:localhost|awf-server):(?:2511|8080)")


def snippet(name: str, port: int | str) -> str:
    """A snippet, with the port of the page replaced."""
    text, replaced = ADDRESS.subn(f"localhost:{port}", SNIPPETS[name])
    text, flags = re.subn(r"(--port |lsof -i :)\d+", rf"\g<1>{port}", text)
    assert replaced + flags or name == "stop", f"no address in the snippet {name}"
    return text
