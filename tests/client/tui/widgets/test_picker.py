"""Picking people."""

from datetime import UTC

from mystic_client.model.roster import Roster
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.picker import Picker
from mysticproto.model import UserInfo, UserRef
from tests.support.fake_session import ANA, BOB, EVA, NOON_US, OWN
from tests.support.widget_app import at, rows_of, running

CLOCK = Clock(lambda: NOON_US, UTC)
DANA = UserRef(9, "dana[/]")


def roster() -> Roster:
    known = Roster()
    here = [UserInfo(user) for user in (OWN, DANA, ANA, BOB)]
    known.listed([*here, UserInfo(EVA, "member", here=False)], [])
    return known


async def test_by_keys_alone() -> None:
    picker = Picker(roster(), CLOCK, [OWN.id])
    async with running(picker, size=(40, 14)) as (app, pilot):
        picker.search.focus()
        assert [row.split() for row in rows_of(picker.matches)[:4]] == [
            ["●", "dana[/]"],
            ["●", "ana"],
            ["●", "bob"],
            ["○", "eva"],
        ]
        await pilot.press("a", "n")
        assert [row.split()[1] for row in rows_of(picker.matches) if row] == ["ana", "dana[/]"], "beginnings first"
        await pilot.press("down", "enter")
        await pilot.press("e", "enter", *"ghost", "enter", "b", "enter")
        assert picker.names == ["dana[/]", "eva", "ghost", "bob"]
        await pilot.press("backspace", "enter")
        assert picker.names == ["dana[/]", "eva", "ghost"]
        assert len(app.heard(Picker.Done)) == 1
        await pilot.press("exclamation_mark", "enter")
        assert picker.names == ["dana[/]", "eva", "ghost"], "that is no name"


async def test_by_mouse_alone() -> None:
    picker = Picker(roster(), CLOCK, [OWN.id])
    async with running(picker, size=(40, 14)) as (_, pilot):
        for word in ("eva", "bob", "eva", "dana"):
            await pilot.click(picker.matches, offset=at(picker.matches, word))
        assert picker.names == ["bob", "dana[/]"]
        assert "Picked: bob and dana[/]" in str(picker.picked.render())
        await pilot.click(picker.matches, offset=at(picker.matches, "bob"), control=True)
        assert picker.names == ["dana[/]"]
