"""The full stop before a server whose key has changed."""

from textual.widgets import Button, Static

from mystic_client.tui.screens.trust import FingerprintChanged, grouped
from tests.support.widget_app import WidgetApp

KNOWN = ":".join(f"{n:02x}" for n in range(32))
SEEN = KNOWN.replace("0a", "ff")


def test_fingerprints_are_grouped_to_be_compared() -> None:
    shown = grouped(KNOWN, SEEN, "bold")
    rows = shown.plain.split("\n")
    assert rows[0].split() == [f"{n:02x}" for n in range(16)] and "   04" in rows[0]
    assert rows[1].split()[-1] == "1f"
    assert [shown.plain[span.start : span.end] for span in shown.spans] == ["0a"], "what differs stands out"
    assert "does not encrypt" in grouped("", KNOWN, "bold").plain


async def test_disconnecting_is_what_enter_does() -> None:
    app = WidgetApp()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        for how in ("enter", "escape"):
            app.push_screen(FingerprintChanged("office[/b]:1", KNOWN, SEEN), answers.append)
            await pilot.pause()
            await pilot.press(how)
        assert answers == [False, False]


async def test_trusting_by_mouse_and_by_keys() -> None:
    app = WidgetApp()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        app.push_screen(FingerprintChanged("office:1", KNOWN, SEEN), answers.append)
        await pilot.pause()
        assert "00 01 02 03" in str(app.screen.query_one("#known", Static).render())
        assert app.screen.query_one("#stop", Button).has_focus
        await pilot.click("#trust")
        app.push_screen(FingerprintChanged("office:1", KNOWN, ""), answers.append)
        await pilot.pause()
        await pilot.press("shift+tab", "enter")
        assert answers == [True, True]
