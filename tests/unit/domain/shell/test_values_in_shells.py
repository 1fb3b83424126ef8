"""Any text, in every kind of place: shells run nothing of it, and see exactly that text where it is quoted."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from awf.domain.shell import ShellPlaceError, preamble, shell_script
from unit.domain.shell.real_shells import SHELLS, parts_of, run_shell, script_of, whole

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


def expected_of(places: tuple[str, ...], text: str, suffix: str) -> bytes:
    return "".join(f"[{text}{suffix}]" + ("\n" if "END" in place else "") for place in places).encode()


def checked(shell: str, places: tuple[str, ...], text: str, suffix: str) -> None:
    script = shell_script(parts_of("\n".join(places), {"v": text}))
    with TemporaryDirectory() as directory:
        result = run_shell(shell, whole(script, shell), Path(directory))
        assert result.stderr == b""
        assert result.stdout == expected_of(places, text, suffix)
        assert list(Path(directory).iterdir()) == []


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=25, deadline=None)
@example("".join(HOSTILE))
@given(TEXTS)
def test_quoted_places_see_exactly_the_text(shell, text):
    checked(shell, EXACT, text, "")
    if shell != "dash":
        checked(shell, NOT_IN_DASH, text, "")


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=12, deadline=None)
@example("".join(HOSTILE))
@given(TEXTS)
def test_substitutions_and_here_documents_see_exactly_the_text(shell, text):
    checked(shell, FOLLOWED_BY_X, text, "x")


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(CODE) | st.text(max_size=3), max_size=30).map("".join), st.sampled_from(ATTACKS)
)
def test_every_value_of_any_command_is_placed_or_refused(source, value):
    try:
        script = script_of(source, v=value)
    except ShellPlaceError:
        return
    assert "pwned" not in script.script


def without_trace(shell: str, code: str, directory: str) -> None:
    run_shell(shell, code, Path(directory))
    assert not (Path(directory) / "pwned").exists()


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "ksh"])
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(CODE), min_size=2, max_size=16).map("".join), st.sampled_from(ATTACKS))
def test_even_in_broken_commands_no_value_runs(shell, source, value):
    try:
        script = script_of(source, v=value)
    except ShellPlaceError:
        return
    with TemporaryDirectory() as directory:
        without_trace(shell, whole(script, shell), directory)


def written(source: str, value: str, shell: str) -> str | ShellPlaceError:
    try:
        return whole(script_of(source, v=value), shell)
    except ShellPlaceError as refusal:
        return refusal


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_that_compute_their_words_run_no_value(shell, tmp_path):
    outcomes = [written(source, value, shell) for source in COMPUTING for value in ATTACKS]
    refusals = [outcome.message for outcome in outcomes if isinstance(outcome, ShellPlaceError)]
    accepted = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert all("the shell " in message for message in refusals)
    assert len(accepted) > len(COMPUTING)
    driver = 'for code; do ( eval "$code" ) >/dev/null 2>&1; done'
    run_shell(shell, driver, tmp_path, *accepted)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=15, deadline=None)
@given(TEXTS.filter(lambda text: not any(character in text for character in "*?[]{}~\\()|!")))
def test_unquoted_places_split_into_words(shell, text):
    script = script_of(
        "for w in a «v» b; do printf '<%s>' \"$w\"; done; set -- «v»; printf '<%s>' \"$#\"", v=text
    )
    words = [word for word in text.replace("\t", " ").replace("\n", " ").split(" ") if word]
    with TemporaryDirectory() as directory:
        result = run_shell(shell, whole(script, shell), Path(directory))
    assert result.stderr == b""
    assert result.stdout == "".join(f"<{word}>" for word in ("a", *words, "b", str(len(words)))).encode()


@pytest.mark.parametrize("shell", SHELLS)
def test_variables_are_not_exported(shell, tmp_path):
    script = script_of('env; echo «v» "«v»"', v="value")
    result = run_shell(shell, whole(script, shell), tmp_path)
    assert b"__awf" not in result.stdout
    assert result.stdout.endswith(b"value value\n")


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_unquoted_values_glob_and_follow_ifs_as_a_variable_does(shell, tmp_path):
    for name in ("a.txt", "b.txt", "c.log"):
        (tmp_path / name).touch()
    result = run_shell(
        shell, whole(script_of("echo «g»; IFS=,; set -- «c»; echo $#", g="*.txt", c="x,y")), tmp_path
    )
    assert result.stdout == b"a.txt b.txt\n2\n"


def test_the_preamble_is_plain_assignments_on_one_line():
    assert (
        preamble((("__awf_1", "it's"), ("__awf_2_words", "a b")))
        == "__awf_1='it'\\''s'; __awf_2_words='a b'; "
    )
    assert preamble(()) == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_errors_keep_their_line(shell, tmp_path):
    script = script_of("echo «v»\n\nnosuchcommand_«v»", v="x")
    result = run_shell(shell, whole(script, shell), tmp_path)
    assert b"3:" in result.stderr
