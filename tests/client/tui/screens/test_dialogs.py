"""Small questions, menus, and what needs a word typed."""

from textual.content import Content
from textual.widgets import Input, Static

from mystic_client.tui.screens.dialogs import Choosable, Menu, MenuList, Question, Typed
from tests.support.widget_app import WidgetApp, at, rows_of

ROWS = [
    Choosable("", "Head[/]"),
    Choosable("a", "First [/b]"),
    Choosable("b", "Second", "F2", bad=True),
]


async def test_yes_and_no_by_mouse_and_by_keys() -> None:
    app = WidgetApp()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        for how in ("y", "n", "enter", "escape"):
            app.push_screen(Question("Go to [/b]?", "[yes]", "[no]"), answers.append)
            await pilot.pause()
            await pilot.press(how)
        for button in ("#connect", "#cancel"):
            app.push_screen(Question("Go?", "Yes", "No"), answers.append)
            await pilot.pause()
            await pilot.click(button)
        assert answers == [True, False, True, False, True, False]


async def test_what_can_not_be_taken_back_is_not_done_by_enter_alone() -> None:
    app = WidgetApp()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        app.push_screen(Question("End it?", "Yes", "No", bad=True), answers.append)
        await pilot.pause()
        await pilot.press("enter")
        assert answers == [False]


async def test_a_menu_by_keys_and_by_mouse() -> None:
    app = WidgetApp()
    acts: list[str | None] = []
    async with app.run_test() as pilot:
        app.push_screen(Menu(Content("[/]"), "[/b]", ROWS), acts.append)
        await pilot.pause()
        await pilot.press("down", "enter")
        app.push_screen(Menu(Content("x"), "", ROWS), acts.append)
        await pilot.pause()
        menu = app.screen.query_one(MenuList)
        assert [row.split() for row in rows_of(menu)] == [["Head[/]"], ["First", "[/b]"], ["Second", "F2"]]
        await pilot.click(menu, offset=at(menu, "Head"))
        await pilot.click(menu, offset=at(menu, "First"))
        app.push_screen(Menu(Content("x"), "", ROWS), acts.append)
        await pilot.pause()
        await pilot.press("escape")
        assert acts == ["b", "a", None]


async def test_a_word_must_be_typed_for_what_is_for_ever() -> None:
    app = WidgetApp()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        app.push_screen(Typed("Delete [/b]", "All of it [/]", "zoe", "Delete"), answers.append)
        await pilot.pause()
        await pilot.press(*"bob", "enter")
        assert answers == []
        assert "something else" in str(app.screen.query_one(".problem", Static).render())
        app.screen.query_one(Input).value = "zoe"
        await pilot.click("#sure")
        app.push_screen(Typed("Delete", "All", "zoe", "Delete"), answers.append)
        await pilot.pause()
        await pilot.press("escape")
        assert answers == [True, None]
