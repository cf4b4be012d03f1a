"""The row about files that are sent to the conversation."""

from __future__ import annotations

from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import TransferActed
from mystic_client.tui.widgets.sending import SendingBar
from tests.support.widget_app import at, rows_of, running


async def test_the_first_is_shown_and_can_be_stopped() -> None:
    bar = SendingBar()
    async with running(bar, size=(100, 3)) as (app, pilot):
        assert not bar.display and rows_of(bar) == []
        one = Transfer(3, "/x/[b] a.png", "running", 100, 40, 10.0, 6.0, kind="upload")
        bar.show([one, Transfer(4, "/x/b.png", "queued", kind="upload")])
        await pilot.pause()
        assert "↑ [b] a.png" in rows_of(bar)[0] and "40 %" in rows_of(bar)[0] and "and 1 more" in rows_of(bar)[0]
        await pilot.click(bar, offset=at(bar, "‖"))
        await pilot.click(bar, offset=at(bar, "×"))
        assert [(acted.number, acted.act) for acted in app.heard(TransferActed)] == [(3, "pause"), (3, "cancel")]
        bar.show([])
        assert not bar.display
