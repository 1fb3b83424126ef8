"""``awf init``."""

from __future__ import annotations

import os
from pathlib import Path

import click

CONFIG = """\
# The settings of this project: docs/settings.md explains them, `awf config show` shows which count.

# Values for inputs that a run does not give, by name.
# inputs:
#   environment: staging

# server:
#   port: 2511

# engine:
#   slots: 16
"""

WORKFLOW = """\
name: example
version: "1.0.0"
description: Greet somebody, with a script and a prompt of this project
inputs:
  - name: who
    description: Whom to greet
    default: world
  - name: text
    description: "What to say after it; try -i text=@prompts/example.md"
    default: Welcome to awf.
states:
  initial: greet
  greet:
    type: step
    command: echo "Hello, {{inputs.who}}!"
    on_success: tell
  tell:
    type: step
    command: echo "{{inputs.text}}"
    on_success: count
  count:
    type: step
    command: .awf/scripts/example.sh "{{states.tell.Output}}"
    on_success: done
    on_failure: failed
  done:
    type: terminal
  failed:
    type: terminal
    status: failure
"""

PROMPT = """\
This text is a prompt file. It is the value of an input that is given as @prompts/example.md.
"""

SCRIPT = """\
#!/bin/sh
# Says how many words it was given.
set -eu
printf '%s words\\n' "$(printf '%s' "$*" | wc -w | tr -d ' ')"
"""

FILES = {
    "config.yaml": (CONFIG, 0o644),
    "workflows/example.yaml": (WORKFLOW, 0o644),
    "prompts/example.md": (PROMPT, 0o644),
    "scripts/example.sh": (SCRIPT, 0o755),
}


@click.command()
@click.option(
    "--force",
    is_flag=True,
    help="Write the files also where there is an .awf already, over those of their names.",
)
@click.option(
    "--global", "for_user", is_flag=True, help="Make the directories of the user instead, for all projects."
)
def command(*, force: bool, for_user: bool) -> None:
    """Make an .awf directory here, with a workflow to try.

    \b
    Example:
      awf init && awf run example
    """
    from awf.cli.show import note, show_line

    if for_user:
        from awf.catalog import config_directory

        base = config_directory(os.environ)
        for name in ("workflows", "prompts", "scripts"):
            (base / name).mkdir(parents=True, exist_ok=True)
        text = f"{base} is there, with workflows, prompts and scripts for all projects"
        show_line(text, {"directory": str(base)}, name=str(base))
        return
    base = Path.cwd() / ".awf"
    if any((base / name).exists() for name in ("config.yaml", "workflows")) and not force:
        text = f"{base} is there already; nothing was changed (--force writes the example files)"
        show_line(text, {"directory": str(base), "written": []})
        return
    for name, (text, mode) in FILES.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
    written = [f".awf/{name}" for name in FILES]
    show_line("\n".join(written), {"directory": str(base), "written": written}, name="\n".join(written))
    note("try `awf run example`, or `awf run example --help`")
