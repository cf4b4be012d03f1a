"""Small questions."""

from textual.widgets import Input, Static

from mystic_client.tui.screens.dialogs import NewGroup, Question
from tests.support.widget_app import WidgetApp


async def test_a_group_gets_a_name_that_can_be_one() -> None:
    app = WidgetApp()
    names: list[str | None] = []
    async with app.run_test() as pilot:
        app.push_screen(NewGroup(), names.append)
        await pilot.pause()
        app.screen.query_one(Input).value = "two [/words]"
        await pilot.click("#connect")
        assert str(app.screen.query_one(".problem", Static).render())
        app.screen.query_one(Input).value = " dev "
        await pilot.press("enter")
        await pilot.pause()
        app.push_screen(NewGroup(), names.append)
        await pilot.pause()
        await pilot.click("#cancel")
        await pilot.pause()
        app.push_screen(NewGroup(), names.append)
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert names == ["dev", None, None]


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
