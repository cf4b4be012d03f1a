"""The chat screen over a store; how it works with the rest is in the tests of the app."""

from datetime import UTC

from textual.pilot import Pilot

from mystic_client.model.commands import Say
from mystic_client.model.store import Store
from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import Commanded, ReconnectWanted, Retried, Typed
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.widgets.bars import Bannered, Place
from mystic_client.tui.widgets.clock import Clock
from mysticproto.model import UserInfo, Welcome
from tests.support.fake_session import ANA, BOB, DEV, NOON_US, OWN, between, said
from tests.support.widget_app import WidgetApp, rows_of


def chat() -> ChatScreen:
    store = Store("zoe")
    store.welcomed(Welcome(1, 5, OWN, "guest", 0))
    store.listed([UserInfo(user) for user in (OWN, ANA)], [])
    return ChatScreen(store, Clock(lambda: NOON_US, UTC))


async def test_it_follows_the_store() -> None:
    app, screen = WidgetApp(), chat()
    async with app.run_test(message_hook=app.note) as pilot:
        await app.push_screen(screen)
        store = screen.store
        store.heard(said(1, ANA, "hello"))
        store.heard(said(2, ANA, "psst", between(ANA)))
        screen.follow(store.take_changes())
        await pilot.pause()
        assert "hello" in "\n".join(rows_of(screen.view))
        assert rows_of(screen.tabs)[0].split() == ["Global", "@", "ana", "1", "×", "▤", "Files", "Search"]
        store.look_at("direct:1,2")
        screen.follow(store.take_changes())
        await pilot.pause()
        assert "psst" in "\n".join(rows_of(screen.view))
        store.close("direct:1,2")
        screen.follow(store.take_changes())
        await pilot.pause()
        assert "hello" in "\n".join(rows_of(screen.view))


async def test_what_is_said_about_a_conversation() -> None:
    app, screen = WidgetApp(), chat()
    async with app.run_test(message_hook=app.note) as pilot:
        await app.push_screen(screen)
        store = screen.store
        store.look_at(store.open_direct([BOB]))
        assert await banner(screen, pilot) == "bob is away."
        store.look_at(store.open_group(DEV))
        assert await banner(screen, pilot) == ""
        store.left(DEV)
        assert await banner(screen, pilot) == "The group dev is gone."
        store.focused(DEV)
        assert await banner(screen, pilot) == ""
        store.look_at("global")
        assert (await banner(screen, pilot)).startswith("Global is paused while you are in dev; broadcasts still come.")


async def banner(screen: ChatScreen, pilot: Pilot[None]) -> str:
    """What the banner says after following the store."""
    screen.follow(screen.store.take_changes())
    await pilot.pause()
    return rows_of(screen.banner)[0].strip() if screen.banner.display else ""


async def test_what_the_user_does_is_said() -> None:
    app, screen = WidgetApp(), chat()
    async with app.run_test(message_hook=app.note) as pilot:
        await app.push_screen(screen)
        await pilot.press("h", "i", "enter", "f10", "ctrl+r")
        screen.show_place(Place(), Bannered("gone", "bad", "try", "Try now"))
        screen.show_transfers([Transfer(1, "a", "running")])
        await pilot.press("ctrl+r")
        assert [(typed.key, typed.command) for typed in app.heard(Typed)] == [("global", Say("hi"))]
        assert len(app.heard(Commanded)) == len(app.heard(Retried)) == len(app.heard(ReconnectWanted)) == 1


async def test_typing_while_reading_goes_into_the_line() -> None:
    app, screen = WidgetApp(), chat()
    async with app.run_test() as pilot:
        await app.push_screen(screen)
        screen.view.focus()
        await pilot.press("j", "g")
        assert screen.composer.text == "jg"
        assert screen.composer.has_focus
