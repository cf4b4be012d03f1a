from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mysticproto.legacy.names import from_mystic, to_mystic
from mysticproto.names import NameRefused, check_user_name, clean_text

STANDING = [
    ("ann", "ann"),
    ("ann@hku.hk", "ann_40_hku.hk"),
    ("ann b", "ann_20_b"),
    ("a+b@x.y", "a_2B_b_40_x.y"),
    ("{ann}", "_7B_ann_7D_"),
    ("ann☺", "ann_263A_"),
    ("Жанна", "Жанна"),
    ("a_b", "a_b"),
    ("a_5F_b", "a_5F_b"),
    ("a_041_b", "a_041_b"),
    ("a_40_b", "a_5F_40_b"),
    ("a_40@b", "a_5F_40_40_b"),
    ("a_5F@b", "a_5F_5F_40_b"),
    ("a_5F_40_b", "a_5F_5F_5F_40_b"),
    ("a__@b", "a___40_b"),
    ("me@", "me_40_"),
]
NEVER_ESCAPED = ["a_0A_b", "a_1B_b", "a_202E_b", "a_D800_b", "a_40b", "a_4_b", "a_110000_b", "a_fe_b", "a_00E9_b"]
tricky_names = st.text(st.sampled_from("_@ 045F2ab"), max_size=12)


@pytest.mark.parametrize(("name", "standing"), STANDING)
def test_a_name_and_what_stands_for_it(name: str, standing: str) -> None:
    assert to_mystic(name) == standing
    assert from_mystic(standing) == name


@pytest.mark.parametrize("name", NEVER_ESCAPED)
def test_what_is_no_escape_stays(name: str) -> None:
    assert from_mystic(name) == name
    assert to_mystic(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("server", "reserved"),
        ("a\nb", "character"),
        ("a\x1b[2Jb", "character"),
        ("\ud800", "not_text"),
        ("annаbel", "scripts"),  # the fourth letter is Cyrillic
        (".ann@x", "punctuation"),
        ("a" * 33, "too_long"),
        ("a@" * 16, "too_long"),
        ("e" + "\u0301\u0323" * 100_000, "too_long"),
    ],
)
def test_what_no_name_can_stand_for(name: str, reason: str) -> None:
    with pytest.raises(NameRefused) as refused:
        to_mystic(name)
    assert refused.value.reason == reason


@given(st.one_of(st.text(max_size=20), tricky_names))
@example("a_5F@b")
@example("ann@hku.hk")
def test_what_stands_for_a_name_is_a_name_and_leads_back(name: str) -> None:
    try:
        standing = to_mystic(name)
    except NameRefused:
        return
    assert check_user_name(standing) == standing
    assert from_mystic(standing) == unicodedata.normalize("NFC", name)
    assert to_mystic(from_mystic(standing)) == standing


@given(st.one_of(st.text("_0123456789ABCDEFabz", max_size=20), st.text(max_size=12), tricky_names))
def test_every_name_of_mystic_stands_for_one_name(name: str) -> None:
    try:
        name = check_user_name(name)
    except NameRefused:
        return
    assert to_mystic(from_mystic(name)) == name


@given(st.text(max_size=30))
def test_what_comes_back_is_as_clean_as_what_went_in(name: str) -> None:
    cleaned = clean_text(name)
    assert clean_text(from_mystic(cleaned)) == from_mystic(cleaned)
