from __future__ import annotations

from textual import events
from textual._xterm_parser import XTermParser

from mystic_client.tui.keys import let_alt_digits_be


def pressed(data: str) -> list[str]:
    parser = XTermParser()
    return [event.key for event in [*parser.feed(data), *parser.feed("")] if isinstance(event, events.Key)]


def test_alt_and_a_digit_is_a_key() -> None:
    let_alt_digits_be("linux")
    assert [pressed(f"\x1b{digit}") for digit in "123456789"] == [[f"alt+{digit}"] for digit in "123456789"]


def test_other_keys_are_as_they_were() -> None:
    let_alt_digits_be("linux")
    assert pressed("2") == ["2"]
    assert pressed("\x1b[A") == ["up"]
