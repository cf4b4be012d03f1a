"""The account's screen."""

from collections.abc import Callable
from datetime import UTC

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Input, Static

from mystic_client.model.store import Store
from mystic_client.tui.screens.account import AccountScreen
from mystic_client.tui.screens.dialogs import Question, Typed
from mystic_client.tui.widgets.clock import Clock
from mysticproto import model
from tests.support.asked import Asked
from tests.support.fake_session import NOON_US, OWN
from tests.support.widget_app import WidgetApp, at, rows_of

HERE = model.DeviceInfo(b"\x01" * 32, NOON_US, True)
LOST = model.DeviceInfo(b"\x02" * 32, NOON_US)


def account(
    asked: Asked,
    role: str = "member",
    *,
    has_password: bool = False,
    share_reads: Callable[[bool], str] = lambda shares: "",
) -> AccountScreen:
    store = Store("zoe")
    store.welcomed(model.Welcome(1, 5, OWN, role, 0))
    store.listed([model.UserInfo(OWN, role)], [])
    asked.replies[model.ListDevices] = model.Devices(0, (HERE, LOST), has_password)
    clock = Clock(lambda: NOON_US, UTC)
    return AccountScreen(store, asked.keeper, clock, shares_read=True, share_reads=share_reads)


async def opened(app: WidgetApp, pilot: Pilot[None], screen: AccountScreen) -> None:
    await app.push_screen(screen)
    await pilot.pause()


def words(screen: AccountScreen, selector: str) -> str:
    return str(screen.query_one(selector, Static).render())


async def test_what_it_shows() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test(size=(80, 40)) as pilot:
        screen = account(asked, "guest", has_password=True)
        await opened(app, pilot, screen)
        assert "A guest" in words(screen, "#role")
        assert "it is set" in words(screen, "#password-head")
        assert str(screen.query_one("#set-password", Button).label) == "Change the password"
        assert not screen.query_one("#delete").display, "a guest's name is nobody's"
        rows = [row.split() for row in rows_of(screen.devices)]
        assert rows == [
            ["●", "key", "01010101", "since", "14:13", "this", "device"],
            ["○", "key", "02020202", "since", "14:13"],
        ]


async def test_a_password_by_keys_alone() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test(size=(80, 40)) as pilot:
        screen = account(asked)
        await opened(app, pilot, screen)
        await pilot.press(*"short", "enter", *"short", "enter")
        assert "at least 8" in words(screen, ".problem")
        await pilot.press(*"long enough", "enter", *"long enouhg", "enter")
        assert "not the same" in words(screen, ".problem")
        assert asked.of(model.SetPassword) == []
        asked.refuse(model.SetPassword, "That is on [every] list.")
        await pilot.press(*"long enough", "enter", *"long enough", "enter")
        await pilot.pause()
        assert words(screen, ".problem") == "That is on [every] list."
        assert [field.value for field in screen.query(Input)] == ["", ""], "a password stays nowhere"
        del asked.replies[model.SetPassword]
        await pilot.press(*"long enough", "enter", *"long enough", "enter")
        await pilot.pause()
        assert asked.of(model.SetPassword)[-1] == model.SetPassword(0, "long enough")
        assert not screen.query_one(".problem").display
        assert len(asked.of(model.ListDevices)) == 2, "what it shows is asked for anew"


async def test_a_password_and_a_device_by_mouse_alone() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test(size=(80, 40)) as pilot:
        screen = account(asked)
        await opened(app, pilot, screen)
        for field in ("#password", "#again"):
            await pilot.click(field)
            assert screen.query_one(field).has_focus
            screen.query_one(field, Input).value = "long enough"
        await pilot.click("#set-password")
        await pilot.pause()
        assert asked.of(model.SetPassword) == [model.SetPassword(0, "long enough")]
        await pilot.click(screen.devices, offset=at(screen.devices, "02020202"))
        await pilot.click("#remove-device")
        assert isinstance(app.screen, Question)
        await pilot.click("#connect")
        await pilot.pause()
        assert asked.of(model.RemoveDevice) == [model.RemoveDevice(0, LOST.key)]
        await pilot.click(".close")
        assert not screen.is_attached


async def test_a_device_by_keys_alone() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test(size=(80, 40)) as pilot:
        screen = account(asked)
        await opened(app, pilot, screen)
        await pilot.press("tab", "tab", "tab", "down", "delete")
        assert isinstance(app.screen, Question)
        asked.refuse(model.RemoveDevice, "It is the last.")
        await pilot.press("y")
        await pilot.pause()
        assert words(screen, ".problem") == "It is the last."


async def test_the_account_ends_when_its_name_was_typed() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test(size=(80, 40)) as pilot:
        screen = account(asked)
        await opened(app, pilot, screen)
        await pilot.click("#delete")
        assert isinstance(app.screen, Typed)
        await pilot.press(*"zoe", "enter")
        await pilot.pause()
        assert asked.of(model.DeleteAccount) == [model.DeleteAccount(0)]


async def test_without_an_answer_it_says_so() -> None:
    app, asked = WidgetApp(), Asked()
    async with app.run_test(size=(80, 40)) as pilot:
        screen = account(asked)
        asked.refuse(model.ListDevices, "That needs a connection.")
        await opened(app, pilot, screen)
        await pilot.pause()
        assert words(screen, ".problem") == "That needs a connection."
        await pilot.click("#remove-device")
        assert "no device" in words(screen, ".problem")


@pytest.mark.parametrize("by_mouse", [False, True])
async def test_read_receipts_are_switched(by_mouse: bool) -> None:
    app, wishes = WidgetApp(), list[bool]()

    def share(shares: bool) -> str:
        wishes.append(shares)
        return "" if not shares else "[no] room"

    async with app.run_test(size=(80, 40)) as pilot:
        screen = account(Asked(), share_reads=share)
        await opened(app, pilot, screen)
        assert screen.query_one("#shares-read", Checkbox).value and "and you what they have" in words(
            screen, "#receipts"
        )
        for _ in range(2):
            if by_mouse:
                await pilot.click("#shares-read")
            else:
                await pilot.press(*["tab"] * (5 if not wishes else 0), "space")
            await pilot.pause()
            if len(wishes) == 1:
                assert "keep it to yourself" in words(screen, "#receipts")
        assert wishes == [False, True]
        assert words(screen, ".problem") == "[no] room"
