"""``python -m documents``: write the generated parts of all pages."""

from __future__ import annotations

from pathlib import Path

from documents import commands
from documents.tables import filled

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Rewrite the pages whose generated parts are not true any more."""
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (now := filled(text)) != text:
            page.write_text(now, encoding="utf-8")
    commands.main()


if __name__ == "__main__":
    main()
