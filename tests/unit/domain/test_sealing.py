import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from awf.domain.sealing import Sealer, inputs_shown
from awf.domain.secrets import MASK, maskable

SECRETS = {"inputs.token": "s3cr3t-value", "inputs.key": "s3cr3t-value-longer", "env.API_KEY": "another one"}


def test_a_sealer_without_secrets_changes_nothing_and_is_false() -> None:
    sealer = Sealer({"inputs.token": "short"})
    assert not sealer
    assert sealer.mask("short") == "short"
    assert sealer.seal("short") == "short"


def test_the_longest_secret_wins_where_one_contains_another() -> None:
    assert Sealer(SECRETS).mask("x s3cr3t-value-longer y") == f"x {MASK} y"


def test_sealed_text_has_no_secret_and_comes_back_whole() -> None:
    sealer = Sealer(SECRETS)
    text = "a s3cr3t-value b another one c s3cr3t-value-longer"
    sealed = sealer.seal(text)
    assert not any(value in sealed for value in SECRETS.values())
    assert sealer.unseal(sealed) == text


def test_a_placeholder_of_an_unknown_secret_stands_as_a_mask() -> None:
    sealed = Sealer({"env.GONE": "value-that-is-gone"}).seal("use value-that-is-gone")
    assert Sealer(SECRETS).unseal(sealed) == f"use {MASK}"


def test_inputs_are_shown_without_secrets_of_other_inputs_and_of_variables() -> None:
    values = {
        "pin": "1234",
        "token": "s3cr3t-value",
        "line": "a s3cr3t-value b another one 1234",
        "many": [1, True],
    }
    shown = inputs_shown(values, ("pin", "token"), Sealer({"env.API_KEY": "another one"}))
    assert shown == {"pin": MASK, "token": MASK, "line": f"a {MASK} b {MASK} 1234", "many": [1, True]}


def test_values_that_overlap_leave_no_rest() -> None:
    sealer = Sealer({"inputs.a": "abcdefgh1", "inputs.b": "fgh12345"})
    assert sealer.mask("abcdefgh12345") == MASK
    assert sealer.unseal(sealer.seal("abcdefgh12345")) == "abcdefgh12345"


def test_texts_inside_lists_and_maps_are_secret_too() -> None:
    sealer = Sealer({"inputs.a": [{"a": ["s3cret-one", 5], "b": {"c": "s3cret-two"}}]})
    assert sealer.mask("x s3cret-one y s3cret-two") == f"x {MASK} y {MASK}"
    assert sealer.unseal(sealer.seal("x s3cret-two")) == "x s3cret-two"


def test_a_value_is_masked_as_json_writes_it_and_without_the_space_around_it() -> None:
    value = 'line "one"\nline two\n'
    sealer = Sealer({"inputs.a": value})
    assert sealer.mask(json.dumps({"k": value})) == '{"k": "***\\n"}'
    assert sealer.mask('line "one"\nline two') == MASK


def test_a_value_is_masked_as_others_write_it() -> None:
    value = 'pä"ss wörd/'
    sealer = Sealer({"inputs.a": value})
    body = json.dumps({"k": value})
    for text in (body, json.dumps({"body": body}), quote(value), quote(value, safe=""), quote_plus(value)):
        assert MASK in sealer.mask(text)
        assert "ss" not in sealer.mask(text)


def test_keys_are_texts_too() -> None:
    sealer = Sealer(SECRETS)
    given_map = {"s3cr3t-value": ["another one"]}
    assert sealer.masked(given_map) == {MASK: [MASK]}
    assert sealer.unsealed(sealer.sealed(given_map)) == given_map


def test_who_writes_a_placeholder_does_not_get_the_value() -> None:
    sealer = Sealer(SECRETS)
    hopeful = sealer.seal("s3cr3t-value") + " another one \ue000 \ue001"
    sealed = sealer.seal(hopeful)
    assert "another one" not in sealed
    assert sealer.unseal(sealed) == hopeful


@given(
    st.text(alphabet="abc", max_size=60),
    st.lists(st.text(alphabet="abc", min_size=8, max_size=10), max_size=3),
    st.data(),
)
def test_no_value_survives_and_streams_agree(text: str, values: list[str], data: st.DataObject) -> None:
    sealer = Sealer({f"inputs.{index}": value for index, value in enumerate(values)})
    masked = sealer.mask(text)
    assert not any(value in masked for value in values)
    assert sealer.unseal(sealer.seal(text)) == text
    mask = sealer.stream()
    cut = data.draw(st.integers(0, len(text)))
    assert mask.feed(text[:cut]) + mask.feed(text[cut:]) + mask.close() == masked


@given(st.lists(st.sampled_from(["s3cr3t-value", "another one", "s3c", "plain ", "value", "\n"])), st.data())
def test_a_stream_is_masked_however_it_is_cut(pieces: list[str], data: st.DataObject) -> None:
    sealer = Sealer({"inputs.a": "s3cr3t-value", "inputs.b": "another one"})
    text = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    mask = sealer.stream()
    shown = ""
    for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True):
        shown += mask.feed(text[start:stop])
    shown += mask.close()
    assert shown == sealer.mask(text)


@given(
    secret=st.text(min_size=8, max_size=40).map(str.strip).filter(lambda text: bool(maskable([text]))),
    before=st.binary(max_size=7),
    after=st.binary(max_size=7),
    encode=st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
def test_a_secret_in_base64_is_masked_wherever_it_begins(
    secret: str, before: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    sealer = Sealer({"env.API_KEY": secret})
    text = encode(before + secret.encode(errors="replace") + after).decode()
    masked = sealer.mask(text)
    assert MASK in masked
    left = masked.replace(MASK, "").rstrip("=")
    assert len(left) <= 2 + (len(before) * 8 + 5) // 6 + (len(after) * 8 + 5) // 6
    assert sealer.unseal(sealer.seal(text)) == text


def test_the_header_of_basic_authorization_is_masked() -> None:
    sealer = Sealer({"env.API_KEY": "correct horse"})
    for user in ("a", "ab", "abc"):
        header = base64.b64encode(f"{user}:correct horse".encode()).decode()
        masked = sealer.mask(f"> Authorization: Basic {header}\r\n")
        assert masked.startswith("> Authorization: Basic ")
        assert len(masked.rstrip("=\r\n").partition(MASK)[2]) <= 1
        stream = sealer.stream()
        assert "".join([*map(stream.feed, header), stream.close()]) == sealer.mask(header)


def test_texts_that_stand_inside_one_another_are_found_at_once() -> None:
    sealer = Sealer({"inputs.token": "aaaaaaaaaaaa", "inputs.key": "aaaaaaaa"})
    assert sealer.mask("x" + "a" * 30 + "y") == f"x{MASK}y"
    assert sealer.unseal(sealer.seal("a" * 30)) == "a" * 30
