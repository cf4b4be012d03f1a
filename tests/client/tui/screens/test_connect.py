"""The connect screen by itself; how it works with the rest is in the tests of the app."""

from textual.widgets import Button, Input, Static

from mystic_client.model.choice import Choice
from mystic_client.tui.messages import Stopped, Wanted
from mystic_client.tui.screens.connect import ConnectScreen, RecentList
from mysticproto.errors import Code
from tests.support.widget_app import WidgetApp, at

USED = [Choice("zoe", "office", 12000), Choice("[/b]", "[b]", 1)]


async def test_fields_are_filled_and_checked() -> None:
    app = WidgetApp()
    async with app.run_test(message_hook=app.note) as pilot:
        await app.push_screen(ConnectScreen(Choice("zoe", "", 0), USED))
        screen = app.screen
        assert [field.value for field in screen.query(Input)] == ["zoe", "127.0.0.1", "12000", ""]
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


async def test_the_password_of_a_name_by_keys_alone() -> None:
    app = WidgetApp()
    async with app.run_test(message_hook=app.note) as pilot:
        screen = ConnectScreen(Choice("zoe", "office", 1), USED)
        await app.push_screen(screen)
        assert not screen.query_one("#password-row").display
        screen.failed("zoe belongs to [somebody]", Code.NAME_CLAIMED)
        await pilot.pause()
        field = screen.query_one("#password", Input)
        assert field.has_focus and field.password
        assert "has an owner" in words(screen, "#password-problem")
        assert words(screen, "#name-problem") == "zoe belongs to [somebody]"
        await pilot.press(*"correct horse", "enter")
        assert app.heard(Wanted)[-1].password == "correct horse"
        assert field.value == "", "it is kept nowhere"
        screen.failed("That is not the [password].", Code.WRONG_PASSWORD)
        await pilot.pause()
        assert field.has_focus
        assert words(screen, "#password-problem") == "That is not the [password]."
        assert words(screen, "#name-problem") == ""
        screen.failed("Wait for 4 s.", Code.TOO_MANY_ATTEMPTS)
        assert words(screen, "#password-problem") == "Wait for 4 s."


async def test_the_password_of_a_name_by_mouse_alone() -> None:
    app = WidgetApp()
    async with app.run_test(message_hook=app.note, size=(80, 30)) as pilot:
        screen = ConnectScreen(Choice("zoe", "office", 1), USED)
        await app.push_screen(screen)
        screen.failed("taken", Code.NAME_CLAIMED)
        await pilot.pause()
        await pilot.click("#password")
        screen.query_one("#password", Input).value = "correct horse"
        await pilot.click("#connect")
        assert app.heard(Wanted)[-1].password == "correct horse"


async def test_a_password_is_not_sent_for_another_name_or_to_another_server() -> None:
    app = WidgetApp()
    async with app.run_test(message_hook=app.note, size=(80, 30)) as pilot:
        screen = ConnectScreen(Choice("zoe", "elsewhere", 1), USED)
        await app.push_screen(screen)
        for change in ("#name", "#host", "#port"):
            screen.failed("taken", Code.NAME_CLAIMED)
            await pilot.pause()
            screen.query_one("#password", Input).value = "correct horse"
            screen.query_one(change, Input).value += "1"
            await pilot.pause()
            assert not screen.query_one("#password-row").display
            assert screen.query_one("#password", Input).value == ""
        screen.failed("taken", Code.NAME_CLAIMED)
        await pilot.pause()
        screen.query_one("#password", Input).value = "correct horse"
        recent = screen.query_one(RecentList)
        await pilot.click(recent, offset=at(recent, "office"))
        assert [wanted.password for wanted in app.heard(Wanted)] == [""]


async def test_other_ends_are_said_in_the_servers_words() -> None:
    app = WidgetApp()
    async with app.run_test() as pilot:
        screen = ConnectScreen(Choice("zoe"), ())
        await app.push_screen(screen)
        await pilot.pause()
        for code in (Code.BANNED, Code.KICKED, Code.CLAIM_REQUIRED, Code.DEVICE_REMOVED, Code.TLS_REQUIRED, "lost"):
            screen.failed(f"[{code}] so it is", code)
            assert words(screen, "#status") == f"[{code}] so it is"
            assert not screen.query_one("#password-row").display


def words(screen: ConnectScreen, selector: str) -> str:
    return str(screen.query_one(selector, Static).render())
