"""The row above the line."""

from mystic_client.tui.widgets.compose_bar import ComposeBar
from tests.support.widget_app import at, rows_of, running


async def test_it_says_what_the_line_is_about_and_can_be_closed() -> None:
    bar = ComposeBar()
    async with running(bar, size=(50, 5)) as (app, pilot):
        assert not bar.display
        bar.styles.height = 1
        bar.show("↳ Replying to", "ana: [/b] one\ntwo " + "x" * 100)
        await pilot.pause()
        drawn = rows_of(bar)[0]
        assert "↳ Replying to ana: [/b] one two" in drawn and "…" in drawn
        await pilot.click(bar, offset=at(bar, "✕"))
        assert len(app.heard(ComposeBar.Closed)) == 1
        bar.show("", "")
        assert not bar.display
