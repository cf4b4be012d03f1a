"""Entries as rows."""

from datetime import UTC

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from mystic_client.model.cards import Card
from mystic_client.model.timeline import Entry
from mystic_client.tui.widgets.lines import GUTTER, Line, Shape, continues, guess_height, lay_out
from mysticproto.model import FileRef
from tests.support.fake_session import MINUTE_US, NOON_US

SHAPE = Shape(60, NOON_US, "zoe", zone=UTC)


def said(text: str = "hi", minute: int = 0, author: str = "ana", place: int = 5, **more: object) -> Entry:
    return Entry(place, NOON_US + minute * MINUTE_US, "message", text, author, 2, **more)  # type: ignore[arg-type]


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def rights(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line.right) for line in lines]


def test_a_message_has_a_heading_a_time_and_the_day_above_the_first() -> None:
    lines = lay_out(said(), None, SHAPE)
    assert [text.strip("─ ") for text in texts(lines)] == ["Today", "ana", "hi"]
    assert rights(lines) == ["", "", " 14:13   "]
    assert cell_len(lines[0].text) == 60 - GUTTER


def test_messages_of_one_author_share_a_heading_for_five_minutes() -> None:
    first, second, late = said(minute=0), said("more", 4), said("late", 6)
    assert texts(lay_out(second, first, SHAPE)) == ["more"]
    assert rights(lay_out(second, first, SHAPE)) == [" 14:17   "]
    assert rights(lay_out(said("more"), first, SHAPE)) == ["         "], "the same minute is said once"
    assert texts(lay_out(late, first, SHAPE)) == ["", "ana", "late"]
    assert texts(lay_out(said("x", author="bob"), first, SHAPE)) == ["", "bob", "x"]
    assert texts(lay_out(said("x", author="bob"), first, replace(SHAPE, roomy=False))) == ["bob", "x"]
    assert continues(second, first) and not continues(late, first) and not continues(first, None)


def test_a_new_day_and_new_messages_are_announced() -> None:
    yesterday = said(minute=-1440, place=3)
    assert texts(lay_out(said(), yesterday, SHAPE))[0].strip("─ ") == "Today"
    lines = lay_out(said(minute=1, place=9), said(place=8), replace(SHAPE, new_from=9))
    assert texts(lines)[0].strip("─ ") == "new"
    assert lines[0].pieces[0].style == "new"
    assert texts(lay_out(said(minute=1, place=10), said(place=9), replace(SHAPE, new_from=9))) == ["hi"]


@pytest.mark.parametrize(("state", "mark"), [("pending", "○ "), ("sent", "✓ "), ("failed", "✗ "), ("", "  ")])
def test_the_state_of_ones_own_is_at_the_end(state: str, mark: str) -> None:
    assert rights(lay_out(said(own=bool(state), state=state), None, SHAPE))[2].endswith(mark)


def test_what_failed_says_why_and_what_to_do() -> None:
    lines = lay_out(said(own=True, state="failed", note="too long", cid=b"\x01"), None, SHAPE)
    assert texts(lines)[-1] == "too long  Retry  Drop"
    acts = [(piece.act, piece.about) for piece in lines[-1].pieces if piece.act]
    assert acts == [("retry", "01"), ("drop", "01")]
    narrow = lay_out(said(own=True, state="failed", note="a long reason", cid=b"\x01"), None, replace(SHAPE, width=20))
    assert texts(narrow)[-2:] == ["a long reason", "Retry  Drop"]


def test_notes_are_below_the_message() -> None:
    assert texts(lay_out(said(own=True, state="sent", note="bob is away"), None, SHAPE))[-1] == "bob is away"


def test_broadcasts_events_notices_and_errors_look_different() -> None:
    cast = lay_out(Entry(5, NOON_US, "broadcast", "hear!", "ana", 2), said(), SHAPE)
    assert {line.kind for line in cast[1:]} == {"broadcast"}
    assert "to everybody" in cast[1].text
    for kind, style in (("event", "event"), ("notice", "notice"), ("error", "error")):
        line = lay_out(Entry(6, NOON_US, kind, "words"), None, SHAPE)[-1]
        assert {piece.style for piece in line.pieces} == {style}
        assert line.text.endswith("words")


def test_long_texts_are_broken_and_line_breaks_kept() -> None:
    lines = lay_out(said("word " * 30 + "\n\n  indented"), None, SHAPE)
    assert all(cell_len(text.rstrip()) <= SHAPE.text_cells for text in texts(lines)[1:])
    assert texts(lines)[-2:] == ["", "  indented"]
    assert lines[3].glue == " " and lines[-1].glue == "\n"


def test_a_longer_form_of_the_time_leaves_less_room_for_the_text() -> None:
    seconds = replace(SHAPE, time_format="%H:%M:%S")
    lines = lay_out(said("word " * 30, own=True, state="sent"), None, seconds)
    assert rights(lines)[2] == " 14:13:20 ✓ "
    assert all(cell_len(text.rstrip()) <= SHAPE.text_cells - 3 for text in texts(lines)[1:])
    assert "14:13:20" in lay_out(said(), None, replace(seconds, width=40))[1].text


def test_a_link_is_one_link_on_every_row_it_takes() -> None:
    url = "https://example.org/" + "path/" * 30
    lines = lay_out(said(f"see {url}."), None, SHAPE)
    linked = [piece for line in lines for piece in line.pieces if piece.style == "link"]
    assert len(linked) > 2
    assert {(piece.act, piece.about) for piece in linked} == {("link", url)}
    assert "".join(piece.text for piece in linked) == url


def test_ones_own_name_stands_out_in_what_others_say() -> None:
    line = lay_out(said("hey Zoe, look", mention=True), None, SHAPE)[-1]
    assert [(piece.text, piece.style) for piece in line.pieces] == [
        ("hey ", "text"), ("Zoe", "name"), (", look", "text"),
    ]  # fmt: skip
    assert line.kind == "mention"
    own = lay_out(said("I am zoe", own=True), None, SHAPE)[-1]
    assert [piece.style for piece in own.pieces] == ["text"]


def test_a_name_in_a_link_stays_a_part_of_the_link() -> None:
    line = lay_out(said("https://zoe.example/zoe zoe"), None, SHAPE)[-1]
    assert [piece.style for piece in line.pieces] == ["link", "text", "name"]


@pytest.mark.parametrize("width", [1, 2, 5, 12, 39, 40, 200])
def test_any_width_will_do(width: int) -> None:
    shape = replace(SHAPE, width=width)
    for kind in ("message", "broadcast", "event", "error"):
        entry = Entry(5, NOON_US, kind, "漢字 text https://example.org\n\tx", "ana", 2, state="failed", note="why")
        assert lay_out(entry, None, shape)


def test_a_guess_needs_no_wrapping() -> None:
    assert guess_height(said("x" * 16_000), 60) > 200
    assert guess_height(said(), 0) >= 1


@pytest.mark.parametrize("width", [1, 2, 5, 12, 39, 40, 80, 200])
def test_what_a_message_brought_fits_any_width(width: int) -> None:
    for name in ("a.txt", "[/b]" + "long" * 60 + ".pdf", "漢字" * 40 + ".txt"):
        entry = Entry(5, NOON_US, "message", "", "ana", 2, file=FileRef(name, 734_003_200, b"x" * 32))
        lines = lay_out(entry, None, replace(SHAPE, width=width))
        cards = [piece for line in lines for piece in line.pieces if piece.act == "get"]
        assert [(piece.text, piece.about) for piece in cards] == [(" Get ", "5")]
        if width >= 12:
            named = next(line for line in lines if line.pieces[0].style == "file")
            assert cell_len("".join(piece.text for piece in named.pieces)) <= width


def test_a_card_says_how_far_the_file_is_and_has_the_time_if_it_stands_alone() -> None:
    entry = Entry(5, NOON_US, "message", "", "ana", 2, file=FileRef("a.txt", 2048, b"x" * 32))
    shape = replace(SHAPE, width=80, cards={5: Card("45 %", "", "")})
    line = lay_out(entry, None, shape)[-1]
    assert line.text == "▤ a.txt  2.0 KiB  45 %  " and "14:13" in line.right[0].text
    assert [line.text for line in lay_out(replace(entry, text="Look"), None, shape)[-2:]] == ["Look", line.text]
