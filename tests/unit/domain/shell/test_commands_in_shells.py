"""Real-looking commands do with harmless values what they do with the values pasted."""

from __future__ import annotations

from pathlib import Path

import pytest

from awf.domain.shell import ShellScript, shell_script
from unit.domain.shell.real_shells import MARK, PLAIN_SHELLS, parts_of, run_shell, whole

VALUES = {
    "name": "demo",
    "n": "5",
    "zero": "0",
    "file": "notes.txt",
    "dir": "sub",
    "version": "1.2.3",
    "branch": "feature/login-42",
    "url": "https://example.org/a?b=c",
    "flags": "-n -e one",
    "list": "red green blue",
    "csv": "a,b,c",
    "pattern": "*.txt",
    "empty": "",
    "yes": "true",
    "word": "über",
    "path": "sub/deep.log",
    "output": "first line\nsecond line\n",
    "count": "3\n",
}

COMMANDS = [
    "echo «name»",
    "echo \"Hello, «name»!\"",
    "echo 'Hello, «name»!'",
    "echo pre«name»post",
    "echo «name»-«version»",
    "echo \"«name»\"-'«version»'",
    "printf '%s\\n' «list»",
    "printf '%s\\n' \"«list»\"",
    "printf '<%s>' «empty» x",
    "printf '<%s>' \"«empty»\" x",
    "cat «file»",
    "cat ./«dir»/deep.log",
    "cat «path» | tr a-z A-Z",
    "cat < «file»",
    "cat < \"«file»\"",
    "cat \"«dir»/deep.log\" > out.«name» && cat out.demo",
    "echo «name» >> log.«version» 2>&1; cat log.1.2.3",
    "grep «flags» «file»",
    "grep -c \"«name»\" «file» || echo none",
    "grep -E '^(one|«name»)$' notes.txt",
    "sed -n '«n»p' notes.txt",
    "sed -e \"s/one/«name»/\" notes.txt",
    "sed 's|one|«branch»|g' «file»",
    "awk -v who=«name» '{ print who, $1 }' «file»",
    "awk '{ print \"«name»\", $1 }' notes.txt",
    "cut -d. -f1 notes.txt | head -n «n»",
    "ls «pattern»",
    "for f in «pattern»; do echo \"$f\"; done",
    "for c in «list»; do echo \"c=$c\"; done",
    "for i in 1 2 «n»; do echo $i; done",
    "for i in $(seq 1 «n»); do printf '%s ' \"$i\"; done",
    "i=0; while [ $i -lt «n» ]; do i=$((i + 1)); done; echo $i",
    "i=0; until [ \"$i\" -ge \"«n»\" ]; do i=$((i + 1)); done; echo $i",
    "echo $((«n» * 2 + 1))",
    "echo $(( «count» + 1 ))",
    "x=«n»; echo $((x + «n»))",
    "x=«name»; echo \"$x\"",
    "x=\"«output»\"; echo \"$x\"",
    "x='«list»' y=«n»; echo \"$x $y\"",
    "FOO=«name» sh -c 'echo $FOO'",
    "export FOO=«name» BAR=\"«list»\"; echo \"$FOO $BAR\"",
    "env FOO=«name» printenv FOO",
    "readonly R=«version»; echo $R",
    "if [ «n» -gt 3 ]; then echo big; else echo small; fi",
    "if [ \"«name»\" = demo ]; then echo yes; fi",
    "if [ -z \"«empty»\" ]; then echo unset; fi",
    "[ -n \"«name»\" ] && echo named",
    "test -f «file» && echo file",
    "test -d \"«dir»\" || echo no",
    "if grep -q one «file»; then\n  echo found «name»\nfi",
    "case «name» in demo) echo d;; *) echo other;; esac",
    "case \"«branch»\" in feature/*) echo f;; main | master) echo m;; esac",
    "case x«n» in x[0-9]) echo digit;; esac",
    "case demo in «name») echo same;; esac",
    "case $(echo \"«name»\") in (demo) echo one ;; (*) echo two ;; esac",
    "echo \"$(echo \"«name»\")\"",
    "echo $(echo «list» | wc -w)",
    "echo `echo «name»`",
    "echo \"`echo '«name»'`\"",
    "v=$(printf '%s' \"$(echo «name» | tr d D)\"); echo \"$v\"",
    "out=$(case «n» in 5) echo five;; esac); echo $out",
    "(cd «dir» && ls)",
    "{ echo «name»; echo «version»; } | sort",
    "cd «dir»; cat deep.log",
    "f() { echo \"f: $1 $2\"; }; f «name» '«version»'",
    "g () ( echo «name» )\ng",
    "echo one; echo «name»; echo two",
    "echo one && echo «name» || echo never",
    "! grep -q «name» notes.txt; echo $?",
    "echo «name» | while read -r l; do echo \"got $l\"; done",
    "set -- «list»; echo $# $2",
    "set -e; set -u; echo \"«name»\"",
    "printf '%s=%d\\n' «name» «n»",
    "printf \"%s\\n\" \"{\\\"name\\\": \\\"«name»\\\", \\\"n\\\": «n»}\"",
    "echo '{\"name\": \"«name»\", \"n\": «n»}'",
    "echo \"url=«url»\"",
    "echo '«url»'",
    "echo \"line one\nline «name»\"",
    "echo one \\\n  «name» \\\n  two",
    "# «name»\necho after",
    "echo x # a comment on «name» and it's quote\necho «n»",
    "echo a#«name» '#' \"# «name»\"",
    "cat <<EOF\nname: «name»\nhome: $((1 + 1)) `echo x` $(echo \"«n»\")\nEOF",
    "cat <<'EOF'\nname: «name» $HOME `date` \\ \\\\\nEOF",
    "cat <<-EOF\n\tname: «name»\n\t\"quoted\" 'too'\n\tEOF\necho «n»",
    "cat <<-\"END\"\n\tname: «name» $X\n\tEND\necho «n»",
    "cat <<A; cat <<'B'; echo «name»\na «n»\nA\nb «n» $x\nB",
    "cat <<\\EOF | tr a-z A-Z\n«name» $HOME\nEOF",
    "x=$(cat <<EOF\n«name»\nEOF\n); echo \"$x\"",
    "x=\"$(cat <<'EOF'\nit's «name» )\nEOF\n)\"; echo \"$x\"",
    "sh <<EOF\necho inner «n»\nEOF",
    "echo «yes»; «yes» && echo ran",
    "if «yes»; then echo t; fi",
    "«name»_missing 2>/dev/null || echo no such command",
    "./«dir»/tool.sh arg",
    "sh «dir»/tool.sh \"«list»\"",
    "sh -c 'echo \"$1\"' _ «name»",
    "trap 'echo bye' EXIT; echo «name»",
    "exit «n»",
    "exit \"«zero»\"",
    "(exit «n»); echo $?",
    "false «name»",
    "echo \"${HOME:+home} «name»\" \"$# $? ${#HOME}\" | cut -c1-9",
    "echo ${X:-$(echo «name»)}",
    "echo $HOME | sed 's/.*/«name»/'",
    "echo «word» \"«word»\" '«word»'",
    "echo '<«empty»>' \"<«empty»>\" <<X\nX",
    "echo \"a'«name»'b\" 'a\"«name»\"b'",
    "echo \\\"«name»\\\" \\'«name»\\' \\\\«name»",
    "echo \"\\$«name»\" '$«name»'",
    "echo \"$$\" | grep -c «empty» '[0-9]'",
    "find . -name \"«file»\" -exec echo {} \\; | sort",
    "find . -name '«pattern»' | sort | xargs -n1 basename",
    "tr ',' '\\n' <<X\n«csv»\nX",
    "true & wait; echo «name»",
    "echo «name» >&2",
    "echo «name» 2>&1 >/dev/null | cat",
    "exec 3>fd.«n»; echo «name» >&3; exec 3>&-; cat fd.5",
    "time -p true 2>/dev/null; echo «name»",
    "",
    "\n\necho «name»\n\n",
    "#!/bin/sh\necho «name»",
]  # fmt: skip

BASH_COMMANDS = [
    "if [[ «name» == d* && «n» -gt 3 ]]; then echo yes; fi",
    "[[ \"«name»\" =~ ^de(m|n)o$ ]] && echo match",
    "[[ ( «n» -lt 9 ) || x == «name» ]] && echo either",
    "((«n» > 3)) && echo big",
    "if (( «n» % 2 )); then echo odd; fi",
    "for ((i = 0; i < «n»; i++)); do printf '%s ' \"$i\"; done",
    "for i in {1..«n»}; do printf '%s ' \"$i\"; done",
    "echo {a,«name»}.txt",
    "a=(one «list» \"«list»\"); echo ${#a[@]} \"${a[2]}\"",
    "a[«n»]=«name»; echo \"${a[5]}\"",
    "declare -A m=([k]=«name»); m[x]=«version»; echo \"${m[k]} ${m[x]}\"",
    "declare -i i=«n»; i+=«n»; echo $i",
    "local_f() { local v=«name» w=\"«list»\"; echo \"$v $w\"; }; local_f",
    "let \"x = «n» + 1\"; echo $x",
    "echo $[ «n» + 1 ]",
    "cat <<< «name»",
    "cat <<< \"«list»\"",
    "diff <(echo «name») <(echo «version») | head -1",
    "echo $'tab\\t«name»\\n' \"$(echo $'it\\'s «name»')\"",
    "echo $\"«name»\"",
    "function f { echo «name»; }; f",
    "shopt -s extglob\ncase «name» in +(d|e)mo) echo ext;; esac",
    "mapfile -t lines < «file»; echo ${#lines[@]}",
    "read -r a b <<< \"«list»\"; echo \"$b\"",
    "printf -v out '%s-%d' «name» «n»; echo $out",
    "echo «name» &> all.log; cat all.log",
    "echo «name» |& cat",
    "a+=(«list»); echo ${#a[@]}",
    "case a in a) echo «name» ;;& *) echo more ;; esac",
    "coproc cat; echo «name»",
    "set -o pipefail; echo «name» | cat",
]  # fmt: skip

DRIVER = """
for code; do
    ( eval "$code" ) 2>err
    printf '\\036%s\\036' "$?"
    sed 's/.*: //' err
    printf '\\035'
done
"""


def outcomes(shell: str, codes: list[str], directory: Path) -> list[bytes]:
    directory.mkdir()
    (directory / "notes.txt").write_text("one\ntwo\ndemo\nfour\nfive.5\nsix\n")
    (directory / "other.txt").write_text("other\n")
    (directory / "sub").mkdir()
    (directory / "sub/deep.log").write_text("deep water\n")
    (directory / "sub/tool.sh").write_text('#!/bin/sh\necho "tool: $1"\n')
    (directory / "sub/tool.sh").chmod(0o700)
    result = run_shell(shell, DRIVER, directory, *codes)
    assert result.stderr == b""
    return result.stdout.split(b"\x1d")[:-1]


def pasted(source: str) -> str:
    return MARK.sub(lambda found: VALUES[found[1]], source)


def test_the_corpus_is_large():
    assert len({*COMMANDS, *BASH_COMMANDS}) == len(COMMANDS) + len(BASH_COMMANDS) > 140


@pytest.mark.parametrize("shell", PLAIN_SHELLS)
def test_commands_do_the_same_with_harmless_values_as_with_pasted_text(shell, tmp_path):
    commands = COMMANDS + (BASH_COMMANDS if shell == "bash" else [])
    scripts = [shell_script(parts_of(command, VALUES)) for command in commands]
    found = outcomes(shell, [whole(script) for script in scripts], tmp_path / "ours")
    expected = outcomes(shell, [pasted(command) for command in commands], tmp_path / "pasted")
    differing = [
        (script.script, ours, theirs)
        for script, ours, theirs in zip(scripts, found, expected, strict=True)
        if ours != theirs
    ]
    assert differing == []


@pytest.mark.parametrize("command", [*COMMANDS, *BASH_COMMANDS])
def test_people_see_the_command_with_its_values(command):
    script = shell_script(parts_of(command, VALUES))
    if "# " not in command:
        assert script.display == pasted(command)
    assert script.script.count("\n") == command.count("\n")


def test_a_command_without_values_is_left_alone():
    assert shell_script(parts_of("echo 'a", {})) == ShellScript("echo 'a", (), "echo 'a")
