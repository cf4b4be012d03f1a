"""The connect screen by itself; how it works with the rest is in the tests of the app."""

from textual.widgets import Button, Input, Static

from mystic_client.model.choice import Choice
from mystic_client.tui.messages import Stopped, Wanted
from mystic_client.tui.screens.connect import ConnectScreen
from mysticproto.errors import Code
from tests.support.widget_app import WidgetApp

USED = [Choice("zoe", "office", 12000), Choice("[/b]", "[b]", 1)]


async def test_fields_are_filled_and_checked() -> None:
    app = WidgetApp()
    async with app.run_test(message_hook=app.note) as pilot:
        await app.push_screen(ConnectScreen(Choice("zoe", "", 0), USED))
        screen = app.screen
        assert [field.value for field in screen.query(Input)] == ["zoe", "127.0.0.1", "12000"]
        screen.query_one("#port", Input).value = "0"
        await pilot.press("enter")
        assert app.heard(Wanted) == []
        assert screen.query_one("#port-problem").display
        screen.query_one("#port", Input).value = "7"
        await pilot.press("enter")
        assert not screen.query_one("#port-problem").display
        wanted = app.heard(Wanted)[0]
        assert (wanted.name, wanted.host, wanted.port) == ("zoe", "127.0.0.1", 7)


async def test_how_it_goes_is_said() -> None:
    app = WidgetApp()
    async with app.run_test(message_hook=app.note) as pilot:
        screen = ConnectScreen(Choice("zoe"), ())
        await app.push_screen(screen)
        assert not screen.query_one("#recent").display
        screen.busy("office:1")
        assert screen.query_one("#cancel").display and not screen.query_one("#connect").display
        await pilot.press("enter")
        assert app.heard(Wanted) == [], "one attempt at a time"
        await pilot.press("escape")
        assert len(app.heard(Stopped)) == 1
        screen.failed("[no] answer")
        assert str(screen.query_one("#status", Static).render()) == "[no] answer"
        assert str(screen.query_one("#connect", Button).label) == "Retry"
        screen.failed("[taken]", Code.NAME_IN_USE)
        assert str(screen.query_one("#name-problem", Static).render()) == "[taken]"
        assert not screen.query_one("#status").display
        screen.idle("You have left.")
        assert screen.query_one("#status").display
