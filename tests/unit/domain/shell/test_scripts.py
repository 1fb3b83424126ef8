from __future__ import annotations

import pytest

from awf.domain.problems import Position
from awf.domain.shell import Hole, ShellPlaceError, shell_problems, shell_script
from awf.domain.templates import Text, Value, parse_template, render_parts
from shells.running import MARK, parts_of, script_of, static_parts_of


@pytest.mark.parametrize(
    ("source", "script"),
    [
        ("echo «x»", "echo ${__awf_1_words}"),
        ("echo a«x»b", "echo a${__awf_1_words}b"),
        ("echo \"a «x» b\"", "echo \"a ${__awf_1} b\""),
        ("echo 'a «x» b'", "echo 'a '\"${__awf_1}\"' b'"),
        ("echo $'a\\'«x»'", "echo $'a\\''\"${__awf_1}\"$''"),
        ("v=«x»", "v=\"${__awf_1}\""),
        ("export v=a«x»", "export v=a\"${__awf_1}\""),
        ("make v=«x»", "make v=${__awf_1_words}"),
        ("cat < «x»", "cat < \"${__awf_1}\""),
        ("cat >&«x» «x»", "cat >&\"${__awf_1}\" ${__awf_2_words}"),
        ("case «x» in «x») ;; esac", "case \"${__awf_1}\" in ${__awf_1}) ;; esac"),
        ("[[ «x» == a* ]]", "[[ ${__awf_1} == a* ]]"),
        ("echo «x» # «x»", "echo ${__awf_1_words} # "),
        ("a=(\n  b # isn't «x»\n  '«x»'\n)", "a=(\n  b # isn't \n  ''\"${__awf_1}\"''\n)"),
        ("a=(b#«x» <(cat «x»))", "a=(b#${__awf_1_words} <(cat ${__awf_1_words}))"),
        ("cat <<E\n«x»\nE", "cat <<E\n${__awf_1}\nE"),
        ("cat <<'E' | tee «x»\n«x» $A `b` \\c\nE", "cat <<E | tee ${__awf_1_words}\n${__awf_2} \\$A \\`b\\` \\\\c\nE"),
        ("cat <<'A' <<\"B\"\n«x»\nA\n«x»$\nB\n", "cat <<A <<B\n${__awf_1}\nA\n${__awf_1}\\$\nB\n"),
        ("cat <<'E'\n$A\nE\necho «x»", "cat <<'E'\n$A\nE\necho ${__awf_1_words}"),
    ],
)  # fmt: skip
def test_a_value_becomes_a_reference_that_suits_its_place(source, script):
    assert script_of(source, x="a value").script == script


def test_equal_values_share_a_variable():
    script = script_of("echo «a» «b» \"«a»\" '«b»' «c»", a="one", b="one", c="two")
    assert script.variables == (("__awf_1_words", "one"), ("__awf_2", "one"), ("__awf_3_words", "two"))


@pytest.mark.parametrize(
    ("source", "text", "variables", "script"),
    [
        ("echo $((«n»))", " 42\n", (("__awf_1", "42"),), "echo $((${__awf_1}))"),
        ("echo $((«n» + 1))", "-3", (("__awf_1", "-3"),), "echo $((${__awf_1} + 1))"),
        ("((x = «n»))", "0x1F", (("__awf_1", "0x1F"),), "((x = ${__awf_1}))"),
        ("[[ «n» -gt 1 ]]", "", (("__awf_1", ""),), "[[ ${__awf_1} -gt 1 ]]"),
        ("[ «n» -gt 1 ]", "many", (("__awf_1_words", "many"),), "[ ${__awf_1_words} -gt 1 ]"),
        ("echo {1..«n»}", "3", (), "echo {1..3}"),
        ("echo {1..«n»}", "3}", (("__awf_1_words", "3}"),), "echo {1..${__awf_1_words}}"),
        ("git log a..«n»", "main", (("__awf_1_words", "main"),), "git log a..${__awf_1_words}"),
    ],
)
def test_numbers_go_where_the_shell_computes(source, text, variables, script):
    found = script_of(source, n=text)
    assert (found.script, found.variables) == (script, variables)


@pytest.mark.parametrize(
    ("source", "text", "message"),
    [
        ("echo \\«v»", "x", "a value directly after a backslash has no safe form"),
        ("echo \"\\«v»\"", "x", "a value directly after a backslash has no safe form"),
        ("echo $'\\«v»'", "x", "a value directly after a backslash has no safe form"),
        ("echo `echo \\\\«v»`", "x", "a value directly after a backslash has no safe form"),
        ("cat <<E\n\\«v»\nE", "x", "a value directly after a backslash has no safe form"),
        ("echo $«v»", "x", "a value directly after a dollar sign has no safe form"),
        ("echo ${«v»}", "x", "a value inside ${…} has no safe form"),
        ("echo \"${A:-«v»}\"", "x", "a value inside ${…} has no safe form"),
        ("echo \"${A:-\"«v»\"}\"", "x", "a value inside ${…} has no safe form"),
        ("echo ${A#'«v»'}", "x", "a value inside ${…} has no safe form"),
        ("cat <<E«v»\nE", "x", "a value in the delimiter of a here-document has no safe form"),
        ("cat <<'E«v»'\nE", "x", "a value in the delimiter of a here-document has no safe form"),
        ("cat <<'E E'\n«v»\nE E", "x", "a value in a here-document with an unusual delimiter has no safe form"),
        (
            "echo `cat <<'E'\n«v»\nE\n`",
            "x",
            "a value in a here-document with a quoted delimiter inside backquotes has no safe form",
        ),
        ("cat <<'E'\n«v»\nE", "a\nE\nid", "the value contains the line 'E', which ends its here-document"),
        ("cat <<-'E'\na«v»\n\tE", "\n\tE\n", "the value contains the line 'E', which ends its here-document"),
        ("x=$(cat <<'E'\n«v»\nE\n)", "E)", "the value contains the line 'E)', which ends its here-document"),
        ("echo $((«v»))", "a[0]", "the shell computes with the value here, and 'a[0]' is not a number"),
        ("let x=«v»", "", "the shell computes with the value here, and '' is not a number"),
        ("a[«v»]=1", "key", "the shell computes with the value here, and 'key' is not a number"),
        ("a=(b [«v»]=1)", "key", "the shell computes with the value here, and 'key' is not a number"),
        ("[[ 1 -eq «v» ]]", "x" * 50, f"the shell computes with the value here, and '{'x' * 40}…' is not a number"),
        ("read «v»", "a[1]", "the shell would compute the subscript in 'a[1]' here"),
        ("declare -a a=\"(«v»)\"", "$x", "the shell scans the value again here: '$x' is not plain text"),
        ("echo a >&«v»", "$x", "the shell scans the value again here: '$x' is not plain text"),
        ("echo a 1>& b\"«v»\"", "(x)", "the shell scans the value again here: '(x)' is not plain text"),
        ("BASH_ENV=\"«v»\" bash x", "$(x)", "the shell scans the value again here: '$(x)' is not plain text"),
        ("mapfile -C '«v»' a", "x;", "the shell scans the value again here: 'x;' is not plain text"),
        ("echo «v»", "a\0b", "no shell takes the character NUL"),
        ("echo " + "$(" * 60 + "«v»", "x", "substitutions are nested too deeply to place a value"),
        ("echo " + "\"${A:-" * 60 + "«v»", "x", "substitutions are nested too deeply to place a value"),
        ("echo +" + "(" * 60 + "«v»", "x", "substitutions are nested too deeply to place a value"),
    ],
)  # fmt: skip
def test_a_value_without_a_safe_form_is_refused(source, text, message):
    with pytest.raises(ShellPlaceError) as refusal:
        script_of(source, v=text)
    assert refusal.value.message == str(refusal.value) == message
    assert refusal.value.index == 1


def test_a_value_in_a_substitution_inside_braces_is_safe():
    assert script_of("echo ${A:-$(echo «v»)}", v="x").script == "echo ${A:-$(echo ${__awf_1_words})}"


def test_a_value_that_only_looks_like_a_delimiter_is_accepted():
    script = script_of("cat <<'E'\nx«v»\nE", v="E\n E")
    assert script.script == "cat <<E\nx${__awf_1}\nE"
    assert script.display == "cat <<'E'\nxE\n E\nE"


@pytest.mark.parametrize(
    ("source", "script"),
    [
        ("grep «v» f", "grep \"${__awf_1}\" f"),
        ("grep \"«v»\" f", "grep \"${__awf_1}\" f"),
        ("grep '«v»' f", "grep ''\"${__awf_1}\"'' f"),
        ("x=«v»", "x=\"${__awf_1}\""),
        ("case a in «v») ;; esac", "case a in \"${__awf_1}\") ;; esac"),
    ],
)  # fmt: skip
def test_an_escaped_value_is_one_word_and_never_quoted_twice(source, script):
    found = shell_script(parts_of(source, {"v": "it's * a b"}, escaped=["v"]))
    assert found.script == script
    assert found.variables == (("__awf_1", "it's * a b"),)


def test_the_escape_of_templates_is_undone_exactly():
    template = parse_template(
        "x {{escape .inputs.a}} {{escape .inputs.b}} {{raw .inputs.a}}", Position("f", 1, 1)
    )
    script = shell_script(render_parts(template, {"inputs": {"a": "it's '' $x", "b": "plain"}}))
    assert script.script == 'x "${__awf_1}" "${__awf_2}" it\'s \'\' $x'
    assert script.variables == (("__awf_1", "it's '' $x"), ("__awf_2", "plain"))


def test_values_are_code_where_that_is_asked_for():
    script = shell_script([Text("cd x && "), Value("a; b", "a; b")], code=True)
    assert (script.script, script.variables, script.display) == ("cd x && a; b", (), "cd x && a; b")


def test_warnings_of_a_script_name_what_may_surprise():
    script = script_of("«c» --title «t»; sh -c \"echo «c»\"; echo '«t»'", c="run && stop", t="--name 'a b'")
    assert script.warnings == (
        "a value stands where the command is named: it runs as one simple command, in which && and | are plain words",
        "the quote characters of a value outside quotes are plain characters",
        "a value stands inside sh -c, where text is scanned a second time, as code",
    )


SECOND = "where text is scanned a second time, as code"
COMMAND = "a value stands where the command is named: it runs as one simple command, in which && and | are plain words"


@pytest.mark.parametrize(
    ("source", "findings"),
    [
        ("echo «v» \"«v»\" '«v»' # «v»", []),
        ("./«v»/run.sh", []),
        ("A=1 «v» --help", [(1, "warning", COMMAND)]),
        ("if true; then \"«v»\"; fi", [(1, "warning", COMMAND)]),
        ("x=$(«v» -n)", [(1, "warning", COMMAND)]),
        ("a | ! «v»", [(1, "warning", COMMAND)]),
        ("while «v»; do :; done", [(1, "warning", COMMAND)]),
        ("case a in b) «v» x;; esac", [(1, "warning", COMMAND)]),
        ("eval \"echo «v»\"", [(1, "warning", f"a value stands inside eval, {SECOND}")]),
        ("alias ll='ls «v»'", [(1, "warning", f"a value stands inside alias, {SECOND}")]),
        ("bash -ec 'echo «v»' _ «v»", [(1, "warning", f"a value stands inside bash -c, {SECOND}")]),
        ("docker exec box /bin/sh -c 'ls «v»'", [(1, "warning", f"a value stands inside sh -c, {SECOND}")]),
        ("sudo ssh -p 22 -A «v» ls «v»", [(3, "warning", f"a value stands inside ssh, {SECOND}")]),
        ("trap 'rm «v»' EXIT", [(1, "warning", f"a value stands inside trap, {SECOND}")]),
        ("python3 -c 'print(\"«v»\")' «v»", [(1, "warning", "a value stands inside python3 -c, where text is code of that language")]),
        ("echo eval «v»; bash script.sh «v»; ssh «v»", []),
        ("echo \\«v» \"${a[«v»]}\"", [
            (1, "error", "a value directly after a backslash has no safe form"),
            (3, "error", "a value inside ${…} has no safe form"),
        ]),
        ("«v»", [(0, "warning", "the whole command is one value: it is code")]),
        (" «v»\n", [(1, "warning", "the whole command is one value: it is code")]),
        ("echo " + "$(" * 60 + "«v»", [(1, "error", "substitutions are nested too deeply to place a value")]),
        ("no values", []),
    ],
)  # fmt: skip
def test_problems_are_known_before_the_values_are(source, findings):
    assert shell_problems(static_parts_of(source)) == findings


def test_raw_holes_and_samples_are_warned_of():
    parts = [
        Text("run "),
        Hole(raw=True),
        Text(" "),
        Hole(sample="--name 'x'"),
        Text(' "'),
        Hole(sample="'"),
        Text('"'),
    ]
    assert shell_problems(parts) == [
        (1, "warning", "the value is pasted as code"),
        (3, "warning", "the quote characters of a value outside quotes are plain characters"),
    ]  # fmt: skip
    assert shell_problems([Text("a "), Hole(), Text("b")], code=True) == [
        (1, "warning", "escaping is off: the value is code")
    ]
    assert shell_problems([Text("a\0 "), Hole()]) == [(0, "error", "no shell takes the character NUL")]


def test_a_large_command_is_lexed_in_little_time():
    source = (
        "cat <<'E'\n"
        + "some text 'with' \"quotes\" and $dollars «v»\n" * 2000
        + "E\necho '"
        + "a" * 200_000
        + "«v»'"
    )
    script = script_of(source, v="1")
    assert script.display == MARK.sub("1", source)
