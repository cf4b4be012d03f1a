"""The operators' screen."""

from datetime import UTC

from textual.pilot import Pilot
from textual.widgets import Input, Static

from mystic_client.tui.screens.dialogs import Question
from mystic_client.tui.screens.person import SentenceForm
from mystic_client.tui.screens.server import ServerScreen
from mystic_client.tui.widgets.clock import Clock
from mysticproto import model
from tests.support.asked import Asked
from tests.support.fake_session import ANA, MINUTE_US, NOON_US
from tests.support.widget_app import WidgetApp, at, rows_of

NET = model.BanInfo("10.1.0.0/16", ANA, "spam [/b]", NOON_US, model.FOR_EVER_US)
TROLL = model.BanInfo("troll", ANA, "", NOON_US, NOON_US + 60 * MINUTE_US)


async def opened(app: WidgetApp, pilot: Pilot[None], asked: Asked) -> ServerScreen:
    asked.replies[model.ListBans] = model.Bans(0, (NET, TROLL))
    screen = ServerScreen(asked.keeper, Clock(lambda: NOON_US, UTC))
    await app.push_screen(screen)
    await pilot.pause()
    return screen


async def test_bans_are_listed() -> None:
    app = WidgetApp()
    async with app.run_test() as pilot:
        screen = await opened(app, pilot, Asked())
        assert [row.split() for row in rows_of(screen.bans)[:2]] == [
            ["⊘", "10.1.0.0/16", "spam", "[/b]", "for", "ever,", "by", "ana"],
            ["⊘", "troll", "until", "15:13,", "by", "ana"],
        ]


async def test_everything_by_keys_alone() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test() as pilot:
        screen = await opened(app, pilot, asked)
        await pilot.press("enter", *"soon", "enter")
        await pilot.pause()
        assert asked.of(model.Announce) == [model.Announce(0, "soon")]
        assert screen.query_one("#announcement", Input).value == ""
        await pilot.press("tab", "tab", "down", "delete")
        await pilot.pause()
        assert asked.of(model.Unban) == [model.Unban(0, "troll")]
        await pilot.press("tab", "enter")
        assert isinstance(app.screen, SentenceForm)
        await pilot.press(*"10.9.9.9", "tab", "tab", "down", "enter")
        await pilot.pause()
        assert asked.of(model.Ban) == [model.Ban(0, "10.9.9.9", 3600, "")]
        await pilot.press("tab", "tab", "enter")
        assert isinstance(app.screen, Question)
        await pilot.press("y")
        await pilot.pause()
        assert asked.of(model.Shutdown) == [model.Shutdown(0)]
        assert not screen.is_attached


async def test_everything_by_mouse_alone() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test() as pilot:
        screen = await opened(app, pilot, asked)
        await pilot.click(screen.bans, offset=at(screen.bans, "troll"))
        await pilot.click("#unban")
        await pilot.pause()
        assert asked.of(model.Unban) == [model.Unban(0, "troll")]
        screen.query_one("#announcement", Input).value = "soon"
        await pilot.click("#announce")
        await pilot.pause()
        assert asked.of(model.Announce) == [model.Announce(0, "soon")]
        await pilot.click("#ban")
        app.screen.query_one("#target", Input).value = "ana"
        await pilot.click("#sure")
        await pilot.pause()
        assert asked.of(model.Ban) == [model.Ban(0, "ana")]
        asked.refuse(model.Shutdown, "Not [now].")
        await pilot.click("#stop")
        await pilot.click("#connect")
        await pilot.pause()
        assert str(screen.query_one(".problem", Static).render()) == "Not [now]."
        await pilot.click(".close")
        assert not screen.is_attached


async def test_who_may_not_see_the_bans_is_told_so() -> None:
    app, asked = WidgetApp(), Asked()
    asked.refuse(model.ListBans, "Only operators may.")
    async with app.run_test() as pilot:
        screen = ServerScreen(asked.keeper, Clock(lambda: NOON_US, UTC))
        await app.push_screen(screen)
        await pilot.pause()
        assert str(screen.query_one(".problem", Static).render()) == "Only operators may."
        await pilot.click("#unban")
        assert asked.of(model.Unban) == []
