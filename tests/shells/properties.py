"""What holds in every shell for a value of any text: nothing of it runs, and inside quotes it is exactly that text.

Each property is a function of a shell, and of how many examples to try at least.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from awf.domain.shell import ShellPlaceError, shell_script
from shells.running import parts_of, run_shell, script_of, whole

HOSTILE = (
    "$(>pwned)", "`>pwned`", ";>pwned;", "\n>pwned\n", "&& >pwned", "| tee pwned", ">pwned", "'", '"', "\\", "$",
    "`", "${x}", "$((1))", "\n", "  ", "\t", "*", "?", "[a]", "{a,b}", "~", "!!", "#", "&", "<", "(", ")", "-n", "%s",
    "%", "=", "\r", "EOF", "\nEOF\n", "a[$(>pwned)]", "($(>pwned))", "';>pwned;'", '";>pwned;"', "é", "😀", "\x01",
    "\x7f", "\u0081", "\u1680",
)  # fmt: skip
FRAGMENTS = st.lists(
    st.sampled_from(HOSTILE) | st.characters(exclude_categories=["Cs"], exclude_characters="\0")
)
TEXTS = FRAGMENTS.map("".join)

EXACT = (
    "printf '[%s]' \"«v»\"",
    "printf '[%s]' '«v»'",
    "printf '[%s]' \"«v»\"''",
    "v=«v»; printf '[%s]' \"$v\"",
    'v="«v»"; printf \'[%s]\' "$v"',
    "export v=«v»; printf '[%s]' \"$v\"",
    "v=«v» w='«v»'; printf '[%s]' \"$w\"",
    "case «v» in \"«v»\") printf '[%s]' '«v»';; *) printf no;; esac",
    'f() { printf \'[%s]\' "$1"; }; f "«v»" # «v»',
    "if true; then ( printf '[%s]' '«v»' ); fi",
    'set -- "«v»" b; printf \'[%s]\' "$1"',
)
FOLLOWED_BY_X = (
    "v=$(printf '[%s]' \"«v»x\"); printf '%s' \"$v\"",
    "printf '[%s]' \"$(printf '%s' \"«v»x\")\"",
    "printf '[%s]' \"$(printf '%s' '«v»x')\"",
    "printf '[%s]' \"$(printf '%s' \"$(printf '%s' '«v»x')\")\"",
    "v=`printf '%s' \"«v»x\"`; printf '[%s]' \"$v\"",
    "v=`printf '%s' '«v»x'`; printf '[%s]' \"$v\"",
    "printf '[%s]' \"`printf '%s' '«v»x'`\"",
    "printf '[%s]' \"`printf '%s' \\\"«v»x\\\"`\"",
    "printf '[%s]' \"`printf '%s' \\`printf '%s' a\\` >/dev/null; printf '%s' '«v»x'`\"",
    "printf '[%s]' \"$(case a in (a) printf '%s' '«v»x';; esac)\"",
    "cat <<END\n[«v»x]\nEND\n",
    "cat <<-END\n\t[«v»x]\n\tEND\n",
    "cat <<'END'\n[«v»x]\nEND\n",
    "cat <<-\"END\"\n\t[«v»x]\n\tEND\n",
    "cat <<\\END\n[«v»x]\nEND\n",
    "printf '%s\\n' \"$(cat <<END\n[«v»x]\nEND\n)\"\n",
    "printf '%s\\n' \"$(cat <<'END'\n[«v»x]\nEND\n)\"\n",
)  # fmt: skip
NOT_IN_DASH = (
    "printf '[%s]' $'«v»'",
    "[[ \"«v»\" == '«v»' ]] && printf '[%s]' '«v»'",
    "a=(b \"«v»\" 'c«v»'); unset 'a[1]'; printf '[%s]' '«v»'",
    "cat <(printf '[%s]' '«v»')",
)  # fmt: skip
CODE = (
    "'", '"', "`", "$(", "$((", "))", ")", "(", "${", "}", "{", "$'", "\\", "\n", " ", "\t", "<<E\n", "<<'E'\n", "<<-'E'\n",
    "<<\\E\n", "\nE\n", "E", "#", " # ", "echo ", ": ", ";", "&&", "|", "case ", "x", "=", "x=", " in ", "esac", ";;", "[[ ",
    " ]]", "[", "]", " -eq ", "((", "for ", "do ", "done", "if ", "then ", "fi", "f()", "a[", "]=", "$", "$[", "..", "<(",
    "<<<", ">&2 ", "!", "@(", "declare -a a=", "declare -i i=", "export ", "read ", "let ", "i=", "printf -v ", "unset ",
    "test -v ", "«v»", "«v»", "«v»", "«v»", '"«v»"', "'«v»'", " «v» ",
)  # fmt: skip
ATTACKS = (
    "$(>pwned)", "`>pwned`", ";>pwned;", "\n>pwned\n", "a[$(>pwned)]", "x[$(>pwned)]=1", "($(>pwned))", "';>pwned;'",
    '";>pwned;"', "\nE\n>pwned\n", "\nE)\n>pwned\n", ")\n>pwned\n", "}>pwned", "'$(>pwned)'", "\tE\n>pwned\n",
    "([$(>pwned)]=1)", "x=$(>pwned)", "x=($(>pwned))",
)  # fmt: skip
COMPUTING = (
    "[ «v» -eq 1 ]", "[ -v «v» ]", "[ -t \"«v»\" ]", "test -v a[«v»]", "[[ «v» -eq 1 ]]", "[[ ( 1 -lt \"«v»\" ) ]]",
    "! [[ -v '«v»' ]]", "[[ a == «v» || a =~ «v» ]]", "echo $((«v»)) $(( \"«v»\" + 1 ))", "echo \"$[ «v» ]\"", "((«v»))",
    "for ((i = 0; i < «v»; i++)); do :; done", "let «v»", "let \"x=«v»\"", "a[«v»]=1", "a['«v»']+=1", "a=([«v»]=1)",
    "echo a >&«v»", "echo a 1>& \"«v»\"", "echo a >&b'«v»'", "BASH_ENV=«v» bash -c :", "mapfile -C «v» -c 1 a <<< b",
    "a=(b [«v»]=1)", "a=(\n  b # it's\n  [«v»]=1\n)", "a=(\\\n[«v»]=1)", "a=(\n  [1]=b\n  ['«v»']=1\n)",
    "a=(1); unset \"a[«v»]\" «v»", "read «v» <<< b", "read -t «v» b", "mapfile «v» <<< b", "getopts ab «v» -a",
    "declare «v»=1", "declare \"«v»=1\"", "declare «v»", "export «v»", "readonly \"«v»=1\"", "declare -i n=«v»",
    "f() { local -ri n=\"«v»\"; }; f", "typeset -i16 n=«v»", "integer n=«v»", "declare -i n; n=«v»", "n=«v» declare -i n",
    "declare -a a=\"«v»\"", "declare -A a=\"(«v»)\"", "declare -a a=(«v» \"«v»\")", "declare «v» b=\"«v»\"",
    "declare -n r=«v»; echo $r", "declare -n r; r=«v»; echo $r", "set -A «v» b", "printf -v «v» b", "printf -v«v» b",
    "printf %d «v»", "printf '%s %5.2f\\n' «v» 1", "printf '%%s %*d' \"«v»\" \"«v»\"", "printf «v» «v»", "exit «v»",
    "f() { return \"«v»\"; }; f", "shift «v»", "for i in 1; do break «v»; done", "PS4=«v»; set -x; :", "wait «v»",
    "command printf -v «v» b", "compgen -W «v»", "x=«v»; : ${x} $x \"$x\"", "alias x=«v»", "hash «v»", "ulimit -n «v»",
    "{ «v»; } || \"«v»\"", "echo «v» > «v»", "cat <<< «v»", "case «v» in «v») ;; esac", "echo ~«v» «v»*",
)  # fmt: skip


def tried(examples: int, *inputs: SearchStrategy[str]) -> Callable[[Callable[..., None]], None]:
    """Run a function with examples of its inputs."""

    def run(holds: Callable[..., None]) -> None:
        settings(max_examples=examples, deadline=None, database=None)(given(*inputs)(holds))()

    return run


def quoted_places_see_exactly_the_text(shell: str, examples: int = 25) -> None:
    @tried(examples, TEXTS)
    @example("".join(HOSTILE))
    def holds(text: str) -> None:
        _check_exact(shell, EXACT if shell == "dash" else EXACT + NOT_IN_DASH, text, "")


def substitutions_and_here_documents_see_exactly_the_text(shell: str, examples: int = 12) -> None:
    @tried(examples, TEXTS)
    @example("".join(HOSTILE))
    def holds(text: str) -> None:
        _check_exact(shell, FOLLOWED_BY_X, text, "x")


def _check_exact(shell: str, places: tuple[str, ...], text: str, suffix: str) -> None:
    script = shell_script(parts_of("\n".join(places), {"v": text}))
    expected = "".join(f"[{text}{suffix}]" + ("\n" if "END" in place else "") for place in places)
    with TemporaryDirectory() as directory:
        result = run_shell(shell, whole(script, shell), Path(directory))
        assert result.stderr == b""
        assert result.stdout == expected.encode()
        assert list(Path(directory).iterdir()) == []


def unquoted_places_split_into_words(shell: str, examples: int = 15) -> None:
    source = "for w in a «v» b; do printf '<%s>' \"$w\"; done; set -- «v»; printf '<%s>' \"$#\""

    @tried(examples, TEXTS.filter(lambda text: not any(character in text for character in "*?[]{}~\\()|!")))
    def holds(text: str) -> None:
        words = [word for word in text.replace("\t", " ").replace("\n", " ").split(" ") if word]
        with TemporaryDirectory() as directory:
            result = run_shell(shell, whole(script_of(source, v=text), shell), Path(directory))
        assert result.stderr == b""
        assert result.stdout == "".join(f"<{word}>" for word in ("a", *words, "b", str(len(words)))).encode()


def even_in_broken_commands_no_value_runs(shell: str, examples: int = 60) -> None:
    if shell == "ksh":  # It waits forever for the end of some here-documents that have none.
        return

    @tried(
        examples,
        st.lists(st.sampled_from(CODE), min_size=2, max_size=16).map("".join),
        st.sampled_from(ATTACKS),
    )
    def holds(source: str, value: str) -> None:
        code = _written(source, value, shell)
        if isinstance(code, str):
            with TemporaryDirectory() as directory:
                run_shell(shell, code, Path(directory))
                assert not (Path(directory) / "pwned").exists()


def commands_that_compute_their_words_run_no_value(shell: str, examples: int = 0) -> None:
    outcomes = [_written(source, value, shell) for source in COMPUTING for value in ATTACKS]
    refusals = [outcome.message for outcome in outcomes if isinstance(outcome, ShellPlaceError)]
    accepted = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert all("the shell " in message for message in refusals)
    assert len(accepted) > len(COMPUTING)
    driver = 'for code; do ( eval "$code" ) >/dev/null 2>&1; done'
    with TemporaryDirectory() as directory:
        run_shell(shell, driver, Path(directory), *accepted)
        assert not (Path(directory) / "pwned").exists()


def _written(source: str, value: str, shell: str) -> str | ShellPlaceError:
    try:
        return whole(script_of(source, v=value), shell)
    except ShellPlaceError as refusal:
        return refusal


def variables_are_not_exported(shell: str, examples: int = 0) -> None:
    script = script_of('env; echo «v» "«v»"', v="value")
    with TemporaryDirectory() as directory:
        result = run_shell(shell, whole(script, shell), Path(directory))
    assert b"__awf" not in result.stdout
    assert result.stdout.endswith(b"value value\n")


def errors_keep_their_line(shell: str, examples: int = 0) -> None:
    script = script_of("echo «v»\n\nnosuchcommand_«v»", v="x")
    with TemporaryDirectory() as directory:
        result = run_shell(shell, whole(script, shell), Path(directory))
    assert b"3:" in result.stderr


Property: TypeAlias = Callable[[str, int], None]
PROPERTIES: tuple[Property, ...] = (
    quoted_places_see_exactly_the_text,
    substitutions_and_here_documents_see_exactly_the_text,
    unquoted_places_split_into_words,
    even_in_broken_commands_no_value_runs,
    commands_that_compute_their_words_run_no_value,
    variables_are_not_exported,
    errors_keep_their_line,
)
