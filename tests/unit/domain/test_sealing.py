from hypothesis import given
from hypothesis import strategies as st

from awf.domain.sealing import MASK, Sealer, maskable

SECRETS = {"inputs.token": "s3cr3t-value", "inputs.key": "s3cr3t-value-longer", "env.API_KEY": "another one"}


def test_short_values_numbers_and_booleans_are_not_looked_for() -> None:
    assert not maskable("short")
    assert not maskable("1234567890")
    assert not maskable("-12345678.25")
    assert not maskable(True)
    assert maskable("12345678x")


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
