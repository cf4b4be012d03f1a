"""The composer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from mystic_client.model.completion import Known
from mystic_client.model.own_files import OwnFile
from mystic_client.tui.messages import OwnFolderWanted
from mystic_client.tui.widgets import composer as composer_module
from mystic_client.tui.widgets.completions import Completions
from mystic_client.tui.widgets.composer import MAX_PASTED_CHARS, Composer
from tests.support.widget_app import WidgetApp, at, running


@asynccontextmanager
async def composing() -> AsyncIterator[tuple[Composer, WidgetApp, Pilot[None]]]:
    offers = Completions()
    composer = Composer(offers, lambda: False)
    composer.known = Known(["ana", "bob"], ["dev"])
    async with running(composer, offers, size=(40, 20)) as (app, pilot):
        composer.focus()
        yield composer, app, pilot


def offered(app: WidgetApp) -> bool:
    return app.query_one(Completions).display


async def test_enter_sends_and_ctrl_j_breaks_the_line() -> None:
    async with composing() as (composer, app, pilot):
        await pilot.press("h", "i", "ctrl+j", "y", "o", "u", "enter")
        assert [sent.text for sent in app.heard(Composer.Submitted)] == ["hi\nyou"]
        assert composer.text == "hi\nyou", "it stays until it is accepted"
        composer.accepted()
        assert composer.text == ""


def at_once(app: WidgetApp, *keys: str) -> None:
    """Presses keys before any of them has been worked on."""
    for key in keys:
        app.post_message(Key({" ": "space", "/": "slash"}.get(key, key), key if len(key) == 1 else None))


async def until_typed(composer: Composer, pilot: Pilot[None], text: str) -> None:
    async with asyncio.timeout(10):
        while composer.text != text:
            await pilot.pause()


async def test_what_is_typed_behind_a_line_waits_for_it() -> None:
    async with composing() as (composer, app, pilot):
        at_once(app, *"one", "enter", *"two")
        async with asyncio.timeout(10):
            while not app.heard(Composer.Submitted):
                await pilot.pause()
        assert composer.text == "one"
        composer.accepted()
        composer.settle()
        await until_typed(composer, pilot, "two")
        assert [sent.text for sent in app.heard(Composer.Submitted)] == ["one"]


async def test_keys_that_come_at_once_edit_in_their_order() -> None:
    async with composing() as (composer, app, pilot):
        at_once(app, *"teh", "backspace", "backspace", *"he", "left", "left", "left", *"in ", "end", "!", "ctrl+j", "x")
        await until_typed(composer, pilot, "in the!\nx")


async def test_enter_does_not_take_what_was_offered_for_less() -> None:
    async with composing() as (_, app, pilot):
        at_once(app, *"/clear", "enter")
        async with asyncio.timeout(10):
            while not app.heard(Composer.Submitted):
                await pilot.pause()
        assert [sent.text for sent in app.heard(Composer.Submitted)] == ["/clear"]


async def test_the_cursor_stands_still_until_a_key_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer_module, "BLINKS_FOR_S", 0.0)
    async with composing() as (composer, _, pilot):
        composer.may_blink(True)
        composer._rest()
        blinks = [composer.cursor_blink]
        for key, may_blink in (("h", True), ("i", False)):
            composer.may_blink(may_blink)
            composer._rest()
            await pilot.press(key)
            blinks.append(composer.cursor_blink)
        assert blinks == [False, True, False]


async def test_nothing_is_not_sent() -> None:
    async with composing() as (composer, app, pilot):
        await pilot.press("space", "enter")
        assert app.heard(Composer.Submitted) == []
        assert composer.text == " "


async def test_up_and_down_walk_through_what_was_sent() -> None:
    async with composing() as (composer, _, pilot):
        for text in ("one", "two", "two"):
            composer.set_text(text)
            composer.accepted()
        await pilot.press("d", "up")
        assert composer.text == "two"
        await pilot.press("up", "up")
        assert composer.text == "one"
        await pilot.press("down", "down")
        assert composer.text == "d"


async def test_up_in_the_middle_of_a_text_moves_the_cursor() -> None:
    async with composing() as (composer, _, pilot):
        composer.set_text("sent")
        composer.accepted()
        composer.set_text("a long line that takes more than one row of this narrow terminal")
        await pilot.pause()
        await pilot.press("up")
        assert composer.text.startswith("a long")
        await pilot.press("up", "up")
        assert composer.text == "sent"


async def test_offers_are_taken_with_tab_enter_and_the_arrows() -> None:
    async with composing() as (composer, app, pilot):
        await pilot.press("slash", "t")
        assert offered(app)
        await pilot.press("tab")
        assert composer.text == "/to "
        await pilot.press("down", "enter")
        assert composer.text == "/to bob "
        assert not offered(app)
        assert app.heard(Composer.Submitted) == []


@pytest.mark.parametrize("by_mouse", [False, True])
async def test_a_mention_in_the_middle_of_a_text(by_mouse: bool) -> None:
    async with composing() as (composer, app, pilot):
        composer.insert("two\nlines are for you")
        composer.move_cursor((1, 5))
        await pilot.pause()
        await pilot.press(*" @b")
        assert offered(app)
        if by_mouse:
            await pilot.click(Completions, offset=at(app.query_one(Completions), "bob"))
            composer.take(app.query_one(Completions).chosen)
        else:
            await pilot.press("tab")
        assert composer.text == "two\nlines @bob are for you"
        assert composer.cursor_location == (1, 11) and not offered(app)
        await pilot.press("ctrl+z")
        assert composer.text == "two\nlines @b are for you", "it can be undone"


async def test_offers_are_for_where_the_cursor_is() -> None:
    async with composing() as (_, app, pilot):
        await pilot.press(*"x @b")
        assert offered(app)
        await pilot.press("left", "left")
        assert not offered(app)
        await pilot.press("right", "right")
        assert not offered(app), "who only walks through a text isn't held up"


async def test_escape_puts_offers_away_until_something_is_typed() -> None:
    async with composing() as (_, app, pilot):
        await pilot.press("slash", "escape")
        assert not offered(app)
        await pilot.press("u")
        assert offered(app)
        await pilot.press("down", "up", "enter", "enter")
        assert [sent.text for sent in app.heard(Composer.Submitted)] == ["/users"]


async def test_paths_of_this_computer_are_asked_for_one_folder_at_a_time() -> None:
    async with composing() as (composer, app, pilot):
        composer.insert("/put ~/")
        await pilot.press("d")
        assert not offered(app)
        composer.insert("ocs/")
        await pilot.pause()
        assert [wanted.typed for wanted in app.heard(OwnFolderWanted)] == ["~/"], "a disk may be slow"
        composer.know_own("~/", [OwnFile("docs", True)])
        await pilot.pause()
        assert [wanted.typed for wanted in app.heard(OwnFolderWanted)] == ["~/", "~/docs/"]
        assert not offered(app)
        composer.know_own("~/docs/", [OwnFile("[b] one.txt", False), OwnFile("two.txt", False)])
        await pilot.press("[", "tab")
        assert composer.text == "/put ~/docs/[b] one.txt"
        assert not offered(app), "Enter sends it"
        composer.set_text("")
        await pilot.pause()
        composer.insert("/put ~/docs/t")
        await pilot.pause()
        assert len(app.heard(OwnFolderWanted)) == 3, "it may be another by now"


async def test_losing_the_focus_hides_offers() -> None:
    async with composing() as (composer, app, pilot):
        await pilot.press("slash")
        composer.blur()
        await pilot.pause()
        assert not offered(app)


@pytest.mark.parametrize(
    ("pasted", "text"),
    [
        ("one\ntwo", "one\ntwo"),
        ("a\x1b]52;c;eA==\x07b", None),
        ("[/b] [@click=app.exit]", "[/b] [@click=app.exit]"),
    ],
)
async def test_pastes_are_cleaned_and_not_sent(pasted: str, text: str | None) -> None:
    async with composing() as (composer, app, pilot):
        app.post_message(Paste(pasted))
        await pilot.pause()
        assert "\x1b" not in composer.text and "\x07" not in composer.text
        assert text is None or composer.text == text
        assert app.heard(Composer.Submitted) == []


async def test_a_paste_that_is_too_long_is_refused() -> None:
    async with composing() as (composer, app, pilot):
        app.post_message(Paste("x" * (MAX_PASTED_CHARS + 1)))
        await pilot.pause()
        assert composer.text == ""
        assert [refused.chars for refused in app.heard(Composer.PasteRefused)] == [MAX_PASTED_CHARS + 1]
