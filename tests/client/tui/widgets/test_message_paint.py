"""Message paint: the rows in colours."""

from __future__ import annotations

from mystic_client.tui.widgets.message_paint import name_colour
from tests.support.one_view import click_on, entry, rows, shown, talk_of


async def test_markup_is_text() -> None:
    payloads = [
        "[/]",
        "[/b]",
        "[",
        "[b",
        "[@click=app.exit]x",
        "[link=file:///etc/passwd]x",
        "[on ]",
        "[#zz]",
        ":smile:",
    ]
    talk = talk_of(0)
    for place, payload in enumerate(payloads, 1):
        talk.timeline.add(entry(place, payload, author=payload, author_id=place))
    async with shown(talk, (60, 60)) as (app, pilot):
        drawn = "\n".join(rows(app))
        for payload in payloads:
            assert drawn.count(payload) >= 2
            await click_on(app, pilot, payload)
        assert app.is_running


def test_a_name_has_one_colour() -> None:
    assert name_colour("Ana") == name_colour("ana") == 2
    assert len({name_colour(f"user{number}") for number in range(100)}) > 6
