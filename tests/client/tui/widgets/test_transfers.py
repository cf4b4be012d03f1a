"""The list of transfers, and the row about what is sent to the conversation."""

from __future__ import annotations

from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import TransferActed, TransferMenuWanted
from mystic_client.tui.widgets.transfers import TransferHead, TransferList, deeds_for, words_for
from tests.support.widget_app import at, rows_of, running

MIB = 1024 * 1024
ONES = [
    Transfer(4, "[b] up.bin", "running", 10 * MIB, 5 * MIB, 2 * MIB, 2.5, kind="upload"),
    Transfer(3, "run.bin", "paused", 10 * MIB, 5 * MIB),
    Transfer(2, "[b]bad.bin", "failed", error="[no] room"),
    Transfer(1, "ok.bin", "done", 5, 5, saved_to="/x/ok.bin", whither="~/ok.bin", verified=True),
]


async def test_each_says_how_it_stands() -> None:
    transfers = TransferList()
    async with running(transfers, size=(120, 10)) as (_, pilot):
        transfers.set_rows(ONES)
        await pilot.pause()
        rows = rows_of(transfers)
        assert "↑ [b] up.bin" in rows[0] and "50 % 5.0 MiB of 10 MiB · 2.0 MiB/s · 3 s left" in rows[0]
        assert "paused · 5.0 MiB of 10 MiB" in rows[1]
        assert "✗ [b]bad.bin" in rows[2] and "[no] room" in rows[2]
        assert "✓ ok.bin" in rows[3] and "verified ✓ BLAKE3 · ~/ok.bin" in rows[3]
        await pilot.resize_terminal(50, 10)
        assert all("×" in row for row in rows_of(transfers)[:4])


async def test_by_keys() -> None:
    transfers = TransferList()
    async with running(transfers, size=(100, 10)) as (app, pilot):
        transfers.set_rows(ONES)
        transfers.focus()
        await pilot.press(
            "space", "delete", "r", "down", "space", "down", "r", "delete", "down", "v", "o", "x", "enter"
        )
        acts = [(acted.number, acted.act) for acted in app.heard(TransferActed)]
        assert acts == [
            (4, "pause"), (4, "cancel"), (3, "resume"), (2, "retry"), (2, "remove"), (1, "verify"), (1, "open"),
            (0, "clear"),
        ]  # fmt: skip
        assert [wanted.number for wanted in app.heard(TransferMenuWanted)] == [1]


async def test_by_mouse() -> None:
    transfers, head = TransferList(), TransferHead()
    async with running(head, transfers, size=(100, 10)) as (app, pilot):
        transfers.set_rows(ONES)
        head.show(ONES)
        await pilot.pause()
        assert "1 running · 1 paused · 2 ended" in rows_of(head)[0]
        for sign in ("‖", "▸", "↻", "×"):
            await pilot.click(transfers, offset=at(transfers, sign))
        await pilot.click(transfers, offset=(5, 2), button=3)
        await pilot.click(transfers, offset=(rows_of(transfers)[3].index("⋯"), 3))
        await pilot.click(head, offset=at(head, "Remove ended"))
        acts = [(acted.number, acted.act) for acted in app.heard(TransferActed)]
        assert acts == [(4, "pause"), (3, "resume"), (2, "retry"), (4, "cancel"), (0, "clear")]
        assert [wanted.number for wanted in app.heard(TransferMenuWanted)] == [2, 1]


def test_what_can_be_done_with_each() -> None:
    assert [[deed.act for deed in deeds_for(one)] for one in ONES] == [
        ["pause", "open", "cancel"],
        ["resume", "cancel"],
        ["retry", "remove"],
        ["verify", "open", "remove"],
    ]


def test_the_transport_is_said_where_there_is_room() -> None:
    one = Transfer(1, "a", "running", 10 * MIB, 5 * MIB, 2 * MIB, 2.5, over="udp")
    assert words_for(one, 120).endswith("3 s left · UDP")
    assert words_for(one, 79) == "2.0 MiB/s · 3 s left"
    assert words_for(Transfer(1, "a", "queued", over="auto"), 79) == "queued · auto"
    assert words_for(Transfer(1, "a", "waiting", over="tcp"), 79) == "waiting · TCP"
    assert words_for(Transfer(1, "a", "waiting", kind="upload"), 79) == "waiting"
    assert words_for(Transfer(1, "a", "done", over="tcp", verified=True), 120) == "verified ✓ BLAKE3"
