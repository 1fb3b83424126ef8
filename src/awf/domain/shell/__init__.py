"""Values in shell commands are data, never code.

A value goes into a script as a shell variable, and its place gets a reference that suits the quoting there; shells do
not scan what an expansion gives a second time. So ``{{x}}`` behaves as a variable ``$X`` would in its place.
"""

from __future__ import annotations

from awf.domain.shell.checks import Finding, Hole, shell_problems
from awf.domain.shell.script import ShellPlaceError, ShellScript, preamble, shell_script

__all__ = ["Finding", "Hole", "ShellPlaceError", "ShellScript", "preamble", "shell_problems", "shell_script"]
