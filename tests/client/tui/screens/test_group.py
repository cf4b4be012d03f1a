"""The dialogs about groups."""

from datetime import UTC

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Input, Static

from mystic_client.model.commands import Leave
from mystic_client.model.store import Store
from mystic_client.tui.messages import Commanded, DialogWanted, GroupChosen
from mystic_client.tui.screens.dialogs import Question
from mystic_client.tui.screens.group import AddPeople, GroupScreen, NewGroup, Wish
from mystic_client.tui.widgets.clock import Clock
from mysticproto import model
from mysticproto.model import Group, GroupDeleted, GroupHandedOver, GroupInfo, GroupRenamed, UserInfo, Welcome
from tests.support.asked import Asked
from tests.support.fake_session import ANA, BOB, DEV, EVA, NOON_US, OWN
from tests.support.widget_app import WidgetApp, at, rows_of

CLOCK = Clock(lambda: NOON_US, UTC)
MINE = GroupInfo(DEV, OWN, (OWN, ANA, EVA), kept=True)


def store_with(info: GroupInfo, role: str = "member") -> Store:
    store = Store("zoe")
    store.welcomed(Welcome(1, 5, OWN, role, 0))
    people = [UserInfo(OWN, role), UserInfo(ANA), UserInfo(BOB), UserInfo(EVA, "member", here=False)]
    store.listed(people, [info])
    return store


async def opened(app: WidgetApp, pilot: Pilot[None], store: Store, asked: Asked) -> GroupScreen:
    screen = GroupScreen(store, DEV.id, asked.keeper, CLOCK)
    await app.push_screen(screen)
    await pilot.pause()
    return screen


def words(screen: GroupScreen, selector: str) -> str:
    return str(screen.query_one(selector, Static).render())


# A new group.


def new_group(*, keeps_global: bool = False) -> NewGroup:
    return NewGroup(store_with(MINE).roster, OWN.id, CLOCK, keeps_global=keeps_global)


async def test_a_room_by_keys_alone() -> None:
    app = WidgetApp()
    wishes: list[Wish | None] = []
    async with app.run_test() as pilot:
        app.push_screen(new_group(), wishes.append)
        await pilot.pause()
        await pilot.press(*"two [/words]", "enter")
        assert app.screen.query_one(".problem").display and wishes == []
        app.screen.query_one("#group-name", Input).value = "art"
        await pilot.press("tab", "tab", "space", "tab", "tab", "enter")
        assert wishes == [Wish("art", focus=False)]


async def test_a_kept_group_with_members_by_keys_alone() -> None:
    app = WidgetApp()
    wishes: list[Wish | None] = []
    async with app.run_test() as pilot:
        app.push_screen(new_group(), wishes.append)
        await pilot.pause()
        await pilot.press(*"art", "tab", "space", *"ana", "enter", *"ev", "enter", "enter")
        assert wishes == [Wish("art", kept=True, members=("ana", "eva"), focus=False)]


async def test_a_new_group_by_mouse_alone() -> None:
    app = WidgetApp()
    wishes: list[Wish | None] = []
    async with app.run_test() as pilot:
        dialog = new_group()
        app.push_screen(dialog, wishes.append)
        await pilot.pause()
        dialog.query_one("#group-name", Input).value = "art"
        await pilot.click("#kept")
        await pilot.pause()
        assert dialog.query_one("#kept", Checkbox).value
        matches = dialog.picker.matches
        await pilot.click(matches, offset=at(matches, "bob"))
        await pilot.click("#create")
        app.push_screen(new_group(keeps_global=True), wishes.append)
        await pilot.pause()
        await pilot.click(".close")
        assert wishes == [Wish("art", kept=True, members=("bob",), focus=False), None]


# A group that there is.


async def test_members_are_shown_with_what_they_are() -> None:
    app = WidgetApp()
    async with app.run_test() as pilot:
        screen = await opened(app, pilot, store_with(MINE), Asked())
        assert [row.split() for row in rows_of(screen.members)] == [
            ["●", "zoe", "you", "owner", "⋯"],
            ["●", "ana", "⋯"],
            ["○", "eva", "⋯"],
        ]
        assert "kept group" in words(screen, "#kind") and "3 members" in words(screen, "#kind")


async def test_an_owner_by_keys_alone() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test(message_hook=app.note) as pilot:
        screen = await opened(app, pilot, store_with(MINE), asked)
        await pilot.press("delete")
        assert "first" in words(screen, ".problem"), "oneself isn't removed"
        await pilot.press("down", "enter")
        assert [wanted.about for wanted in app.heard(DialogWanted)] == [ANA.id]
        await pilot.press("delete")
        await pilot.press("tab", "enter")
        assert isinstance(app.screen, AddPeople)
        await pilot.press("enter")
        await pilot.press(*"bo", "enter", "enter")
        await pilot.pause()
        await pilot.press("tab", "tab", "enter")
        assert isinstance(app.screen, Question)
        await pilot.press("y")
        await pilot.press("tab", *"ops", "enter")
        await pilot.pause()
        await pilot.press("tab", "tab", "tab", "enter")
        await pilot.pause()
        assert asked.requests == [
            model.RemoveMember(0, "dev", "ana"),
            model.AddMember(0, "dev", "bob"),
            model.HandOver(0, "dev", "ana"),
            model.RenameGroup(0, "dev", "devops"),
            model.KeepGroup(0, "dev", False),
        ]


async def test_an_owner_by_mouse_alone() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test(message_hook=app.note) as pilot:
        screen = await opened(app, pilot, store_with(MINE), asked)
        await pilot.click(screen.members, offset=at(screen.members, "eva"))
        assert [wanted.about for wanted in app.heard(DialogWanted)] == [EVA.id]
        await pilot.click("#remove")
        await pilot.click("#hand-over")
        await pilot.click("#connect")
        await pilot.click("#add")
        assert isinstance(app.screen, AddPeople)
        matches = app.screen.picker.matches
        assert [row.split()[1] for row in rows_of(matches) if row] == ["bob"], "members aren't added again"
        await pilot.click(matches, offset=at(matches, "bob"))
        await pilot.click("#add-picked")
        await pilot.pause()
        screen.query_one("#group-name", Input).value = "ops"
        await pilot.click("#rename")
        await pilot.click("#keep")
        await pilot.click("#delete")
        await pilot.click("#connect")
        await pilot.pause()
        assert asked.requests == [
            model.RemoveMember(0, "dev", "eva"),
            model.HandOver(0, "dev", "eva"),
            model.AddMember(0, "dev", "bob"),
            model.RenameGroup(0, "dev", "ops"),
            model.KeepGroup(0, "dev", False),
            model.DeleteGroup(0, "dev"),
        ]
        assert not screen.is_attached


async def test_it_follows_what_happens() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test() as pilot:
        store = store_with(MINE)
        screen = await opened(app, pilot, store, asked)
        renamed = Group(DEV.id, "ops[/]")
        store.heard(GroupRenamed(1, 0, renamed, OWN, "dev"))
        store.heard(GroupHandedOver(2, 0, renamed, OWN, ANA))
        screen.follow()
        assert words(screen, ".title") == "# ops[/]" and screen.query_one("#group-name", Input).value == "ops[/]"
        assert "Its owner is ana" in words(screen, "#kind")
        assert not screen.query_one("#naming").display
        store.heard(GroupDeleted(3, 0, renamed, ANA))
        screen.follow()
        assert "gone" in words(screen, ".problem")
        await pilot.press("delete", "escape")
        assert asked.requests == []


@pytest.mark.parametrize(
    ("info", "role", "shown"),
    [
        (GroupInfo(DEV, ANA, (ANA, OWN), kept=True), "member", ["leave"]),
        (GroupInfo(DEV, ANA, (ANA,)), "member", ["join"]),
        (GroupInfo(DEV, ANA, (ANA,), kept=True), "operator", ["delete"]),
        (GroupInfo(DEV, OWN, (OWN,)), "member", ["remove", "hand-over", "rename", "delete", "keep", "leave"]),
    ],
)
async def test_what_one_may_not_do_is_not_shown(info: GroupInfo, role: str, shown: list[str]) -> None:
    app = WidgetApp()
    async with app.run_test() as pilot:
        screen = await opened(app, pilot, store_with(info, role), Asked())
        buttons = [button for button in screen.query(Button) if button.display and button.region.area]
        assert [button.id for button in buttons if button.id] == shown


async def test_members_leave_and_others_join() -> None:
    app = WidgetApp()
    async with app.run_test(message_hook=app.note) as pilot:
        await opened(app, pilot, store_with(GroupInfo(DEV, ANA, (ANA, OWN))), Asked())
        await pilot.click("#leave")
        assert [commanded.command for commanded in app.heard(Commanded)] == [Leave("dev")]
        await opened(app, pilot, store_with(GroupInfo(DEV, ANA, (ANA,))), Asked())
        await pilot.click("#join")
        assert [chosen.group_id for chosen in app.heard(GroupChosen)] == [DEV.id]


async def test_a_refusal_is_shown_and_ends_the_adding() -> None:
    app, asked = WidgetApp(), Asked()
    asked.refuse(model.AddMember, "Nobody is called [bo].")
    async with app.run_test() as pilot:
        screen = await opened(app, pilot, store_with(MINE), asked)
        await pilot.press("tab", "enter", *"bo", "enter", *"ghost", "enter", "enter")
        await pilot.pause()
        assert words(screen, ".problem") == "Nobody is called [bo]."
        assert len(asked.requests) == 1
