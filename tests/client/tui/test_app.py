"""The program as its user sees it: everything by mouse alone and by keys alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, Input

from mystic_client.model.choice import Choice
from mystic_client.session.heard import Online, Trying, Waiting
from mystic_client.session.transfers import Progress
from mystic_client.tui.app import MysticApp
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.connect import ConnectScreen
from mystic_client.tui.screens.dialogs import NewGroup, Question
from mystic_client.tui.screens.help import HelpScreen
from mystic_client.tui.widgets.bars import Banner, TopBar
from mystic_client.tui.widgets.composer import Composer
from mystic_client.tui.widgets.files import FilesPane
from mystic_client.tui.widgets.message_view import MessageView
from mystic_client.tui.widgets.rosters import GroupList, PeopleList
from mystic_client.tui.widgets.tab_bar import TabBar
from mysticproto import model
from mysticproto.model import Broadcast, GroupInfo, ToEveryone, ToGlobal, ToGroup, ToUsers
from tests.support.fake_session import ANA, BOB, DEV, NOON_US, OWN, FakeServer, between, said
from tests.support.widget_app import at, rows_of

HERE = Choice("zoe", "office", 12000)


class Desk:
    """A user at the program, and the server that they are on."""

    def __init__(self, app: MysticApp, pilot: Pilot[None], server: FakeServer) -> None:
        self.app, self.pilot, self.server = app, pilot, server

    @property
    def chat(self) -> ChatScreen:
        assert isinstance(self.app.screen, ChatScreen)
        return self.app.screen

    @property
    def connect(self) -> ConnectScreen:
        assert isinstance(self.app.screen, ConnectScreen)
        return self.app.screen

    @property
    def chatting(self) -> bool:
        return isinstance(self.app.screen, ChatScreen)

    @property
    def focus(self) -> str:
        """The name of the group that the session hears instead of global."""
        group = self.app.line.store.focus
        return group.name if group else ""

    def displayed(self, selector: str) -> bool:
        return self.app.screen.query_one(selector).display

    def words(self, selector: str) -> str:
        """What a text or a button says."""
        widget = self.app.screen.query_one(selector)
        return str(widget.label if isinstance(widget, Button) else widget.render())

    @property
    def posted(self) -> list[tuple[model.Target, str]]:
        return [(to, text) for _, to, text in self.server.session.posts]

    async def settle(self) -> None:
        for _ in range(2):
            await self.pilot.pause()
            self.app.flush()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def write(self, text: str, *then: str) -> None:
        """Types a text, all at once, and then presses keys."""
        field = self.app.focused
        assert isinstance(field, Composer | Input)
        (field.insert if isinstance(field, Composer) else field.insert_text_at_cursor)(text)
        await self.press(*then)

    async def click(self, widget: Widget | str, word: str = "", **how: bool) -> None:
        found = self.app.screen.query_one(widget) if isinstance(widget, str) else widget
        offset = at(found, word) if word else (found.size.width // 2, 0)
        await self.pilot.click(found, offset=offset, **how)
        await self.settle()

    async def hear(self, *items: object) -> None:
        self.server.session.say(*items)  # type: ignore[arg-type]
        await self.settle()

    def shown(self, kind: type[Widget] = MessageView) -> str:
        return "\n".join(rows_of(self.app.screen.query_one(kind)))


@asynccontextmanager
async def sitting(
    choice: Choice = HERE, server: FakeServer | None = None, size: tuple[int, int] = (120, 36), **world: Any
) -> AsyncIterator[Desk]:
    server = server or FakeServer()
    app = MysticApp(choice, server.outside(**world))
    async with app.run_test(size=size, notifications=True) as pilot:
        desk = Desk(app, pilot, server)
        await desk.settle()
        yield desk


# Connecting.


async def test_with_everything_given_it_connects_at_once() -> None:
    async with sitting() as desk:
        assert desk.chatting
        assert desk.server.remembered == [HERE]
        assert "● connected" in desk.shown(TopBar)
        assert "office:12000" in desk.shown(TopBar)


async def test_what_is_missing_is_asked_for_by_keys() -> None:
    async with sitting(Choice()) as desk:
        assert desk.connect.query_one("#host", Input).value == "127.0.0.1"
        assert desk.connect.query_one("#port", Input).value == "12000"
        await desk.write("zoe", "enter")
        assert desk.chatting
        assert str(desk.server.session.address) == "127.0.0.1:12000"


async def test_what_is_missing_is_asked_for_by_mouse() -> None:
    recent = [Choice("zoe", "office", 12000), Choice("zoe", "[/b]", 1)]
    async with sitting(Choice(), recent=recent) as desk:
        await desk.click("#recent", "office")
        assert desk.chatting
        assert desk.server.session.name == "zoe"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "no spaces", ""),
        ("port", "x", "number from 1 to 65535"),
        ("port", "99999", "65535"),
        ("host", "a b", "space"),
    ],
)
async def test_what_makes_no_sense_is_said_beside_the_field(field: str, value: str, words: str) -> None:
    async with sitting(Choice("zoe")) as desk:
        desk.connect.query_one(f"#{field}", Input).value = value
        await desk.click("#connect")
        assert desk.displayed(f"#{field}-problem")
        assert words in desk.words(f"#{field}-problem")
        assert desk.server.sessions == []


async def test_a_server_that_cannot_be_reached_is_reported_with_retry() -> None:
    server = FakeServer()
    server.greets = "refused"
    async with sitting(server=server) as desk:
        assert "Connection refused" in desk.words("#status")
        assert desk.words("#connect") == "Retry"
        server.greets = "welcome"
        await desk.click("#connect")
        assert desk.chatting
        assert len(server.sessions) == 2


async def test_a_refused_name_is_explained_beside_it() -> None:
    server = FakeServer()
    server.greets = "silence"
    async with sitting(server=server) as desk:
        server.session.end("name_in_use", "zoe is [taken]")
        await desk.settle()
        assert desk.displayed("#name-problem")
        assert desk.words("#name-problem") == "zoe is [taken]"
        assert desk.connect.query_one("#name", Input).has_focus


async def test_connecting_can_be_given_up_by_key_and_by_mouse() -> None:
    server = FakeServer()
    server.greets = "silence"
    async with sitting(server=server) as desk:
        assert "Connecting to office:12000" in desk.words("#status")
        await desk.press("escape")
        assert not desk.displayed("#cancel")
        await desk.press("enter")
        assert desk.displayed("#cancel")
        await desk.click("#cancel")
        assert not desk.displayed("#cancel")
        server.greets = "welcome"
        await desk.click("#connect")
        assert desk.chatting


# Talking.


async def test_talking_to_everybody_by_keys_and_by_mouse() -> None:
    async with sitting() as desk:
        await desk.write("hello", "enter")
        await desk.write("again")
        await desk.click("#send")
        assert desk.posted == [(ToGlobal(), "hello"), (ToGlobal(), "again")]
        assert desk.shown().count("◷") == 2
        desk.server.session.acknowledge(5, away=("bob",))
        await desk.settle()
        assert desk.shown().count("✓") == 1 and "bob is away" in desk.shown()
        assert desk.chat.composer.text == ""


async def test_a_message_that_failed_is_sent_again_by_key_and_by_mouse() -> None:
    async with sitting() as desk:
        await desk.write("hello", "enter")
        desk.server.session.refuse("[no] way")
        await desk.settle()
        assert "[no] way" in desk.shown()
        await desk.press("ctrl+r")
        assert desk.posted == [(ToGlobal(), "hello")] * 2
        desk.server.session.refuse("no")
        await desk.settle()
        await desk.click(desk.chat.view, "Retry")
        assert len(desk.posted) == 3
        desk.server.session.refuse("no")
        await desk.settle()
        await desk.click(desk.chat.view, "Drop")
        assert "▌ hello" not in desk.shown()


async def test_a_wrong_command_keeps_the_line() -> None:
    async with sitting() as desk:
        await desk.write("mystic dance", "enter")
        assert desk.chat.composer.text == "mystic dance"
        assert desk.posted == []
        await desk.pilot.pause()
        assert any("not recognized" in toast.message for toast in desk.app._notifications)


async def test_a_private_conversation_by_mouse_and_by_keys() -> None:
    async with sitting() as desk:
        await desk.click("#people", "ana")
        assert desk.app.line.store.front == "direct:1,2"
        await desk.write("psst", "enter")
        assert desk.posted == [(ToUsers(("ana",)), "psst")]
        await desk.press("f2", "end", "enter")
        assert desk.app.line.store.front == "direct:1,4"
        await desk.press("f2", "home", "enter")
        assert desk.app.line.store.front == "direct:1,4", "one doesn't write to oneself"


async def test_several_people_by_mouse_and_by_keys() -> None:
    async with sitting() as desk:
        await desk.click("#people", "ana", control=True)
        await desk.click("#people", "bob", control=True)
        assert desk.words("#message-people") == "Message 2 people"
        await desk.click("#message-people")
        assert desk.app.line.store.front == "direct:1,2,3"
        assert "ana and bob" in desk.shown(TabBar)
        assert not desk.displayed("#message-people")
        await desk.press("f2", "home", "down", "space", "down", "down", "space", "enter")
        assert desk.app.line.store.front == "direct:1,2,4"
        await desk.write("/to bob, eva hi you", "enter")
        assert desk.posted == [(ToUsers(("bob", "eva")), "hi you")]


async def test_unread_counts_and_turning_by_mouse_and_keys() -> None:
    async with sitting() as desk:
        await desk.hear(said(1, ANA, "one", between(ANA)), said(2, ANA, "two", between(ANA)))
        assert desk.shown(TabBar).split() == ["Global", "@", "ana", "2", "×", "▤", "Files"]
        await desk.click("#tabs", "ana")
        assert "two" in desk.shown() and "new" in desk.shown()
        assert desk.shown(TabBar).split() == ["Global", "@", "ana", "×", "▤", "Files"]
        for keys, front in (
            ("ctrl+pageup", "global"),
            ("ctrl+pagedown", "direct:1,2"),
            ("alt+1", "global"),
            ("alt+2", "direct:1,2"),
        ):
            await desk.press(keys)
            assert desk.app.line.store.front == front
        await desk.press("f8")
        assert list(desk.app.line.store.talks) == ["global"]
        await desk.hear(said(3, ANA, "three", between(ANA)))
        await desk.click("#tabs", "×")
        assert list(desk.app.line.store.talks) == ["global"]
        await desk.press("f8")
        assert list(desk.app.line.store.talks) == ["global"]


async def test_drafts_stay_with_their_conversation() -> None:
    async with sitting() as desk:
        await desk.write("half a")
        await desk.click("#people", "ana")
        assert desk.chat.composer.text == ""
        await desk.write("other")
        await desk.press("ctrl+pageup")
        assert desk.chat.composer.text == "half a"


async def test_broadcasts_are_in_front_and_names_can_be_clicked() -> None:
    async with sitting() as desk:
        await desk.click("#people", "ana")
        await desk.hear(model.Message(3, NOON_US, BOB, Broadcast(), "fire drill"))
        assert "to everybody" in desk.shown() and "fire drill" in desk.shown()
        await desk.click(desk.chat.view, "bob")
        assert desk.app.line.store.front == "direct:1,3"
        await desk.write("/broadcast over", "enter")
        assert desk.posted == [(ToEveryone(), "over")]


async def test_scrolled_up_there_is_a_pill_to_the_newest() -> None:
    async with sitting() as desk:
        await desk.hear(*(said(n, ANA, f"line {n}") for n in range(1, 80)))
        await desk.press("pageup")
        await desk.hear(said(90, ANA, "newest"))
        assert desk.displayed("#pill")
        assert "1 new message" in desk.words("#pill")
        await desk.click("#pill")
        assert "newest" in desk.shown()
        assert not desk.displayed("#pill")
        await desk.press("pageup")
        await desk.hear(said(91, ANA, "newer still"))
        await desk.press("ctrl+end")
        assert "newer still" in desk.shown()
        assert not desk.displayed("#pill")


async def test_older_messages_come_when_scrolling_up() -> None:
    server = FakeServer()
    server.past["global"] = [said(n, ANA, f"old {n}") for n in range(1, 301)]
    async with sitting(server=server) as desk:
        assert "old 300" in desk.shown()
        for _ in range(40):
            await desk.press("pageup")
        assert "This is the beginning" in desk.shown() and "old 1" in desk.shown()


# Groups.


async def test_a_group_of_ones_own_by_mouse_and_by_keys() -> None:
    async with sitting() as desk:
        await desk.click("#new-group")
        assert isinstance(desk.app.screen, NewGroup)
        await desk.write("ops", "enter")
        assert desk.app.line.store.front_talk.title == "ops"
        await desk.write("hi", "enter")
        assert desk.posted == [(ToGroup("ops"), "hi")]
        await desk.click("#tabs", "Global")
        assert "Global is paused while you are in ops" in desk.shown(Banner)
        assert "Global ⏸" in desk.shown(TabBar)
        await desk.click("#banner", "Leave ops")
        assert not desk.displayed("#banner")
        await desk.press("f6")
        await desk.write("two words", "enter")
        assert isinstance(desk.app.screen, NewGroup), "names have no spaces"
        await desk.press("escape")
        assert desk.chatting


async def test_joining_by_mouse_and_leaving_by_the_cross() -> None:
    server = FakeServer()
    server.groups = [GroupInfo(DEV, ANA, (ANA, BOB))]
    async with sitting(server=server) as desk:
        assert "2 members" in desk.shown(GroupList)
        await desk.click("#groups", "dev")
        assert desk.focus == "dev"
        assert "3 members" in desk.shown(GroupList)
        await desk.click("#tabs", "×")
        assert isinstance(server.session.requests[-2], model.LeaveGroup)
        assert desk.focus == ""
        await desk.press("f3", "enter")
        assert desk.focus == "dev"
        await desk.hear(model.GroupLeft(9, NOON_US, DEV, OWN, "kicked"))
        assert "You are not in dev." in desk.shown(Banner)
        await desk.click("#banner", "Join")
        assert desk.focus == "dev"


async def test_going_to_another_room_is_asked_about() -> None:
    server = FakeServer()
    server.groups = [GroupInfo(DEV, ANA, (ANA,))]
    async with sitting(server=server) as desk:
        await desk.write("/create ops", "enter")
        await desk.click("#groups", "dev")
        assert isinstance(desk.app.screen, Question)
        await desk.press("escape")
        assert desk.app.line.store.front_talk.title == "ops"
        await desk.click("#groups", "dev")
        await desk.click("#connect")
        assert desk.focus == "dev"


# Files.


def with_files() -> FakeServer:
    server = FakeServer()
    server.folders = {
        "": [model.FolderEntry("Music", "folder", entries=1), model.FolderEntry("[b].txt", "file", 9)],
        "Music": [model.FolderEntry("a.ogg", "file", 9)],
    }
    return server


async def test_files_by_keys() -> None:
    server = with_files()
    server.progress = [Progress("a.ogg", "done", 9, 9, saved_to="/x/a.ogg", verified=True)]
    async with sitting(server=server) as desk:
        await desk.press("f4")
        files = desk.chat.query_one(FilesPane)
        assert [row.name for row in files.table.rows] == ["Music", "[b].txt"]
        await desk.press("enter")
        assert [row.name for row in files.table.rows] == ["..", "a.ogg"]
        await desk.press("down", "enter")
        assert server.brought == ["Music/a.ogg"]
        assert "verified ✓ BLAKE3" in "\n".join(rows_of(files.transfers))
        await desk.press("backspace")
        assert [row.name for row in files.table.rows] == ["Music", "[b].txt"]
        await desk.press("escape")
        assert desk.chat.composer.has_focus


async def test_files_by_mouse() -> None:
    server = with_files()
    server.progress = [Progress("[b].txt", "running", 9, 3, 1.0, 6.0)]
    async with sitting(server=server) as desk:
        await desk.click("#tabs", "Files")
        files = desk.chat.query_one(FilesPane)
        await desk.click(files.table, "Music")
        await desk.click(files.crumbs, "Shared files")
        await desk.click(files.table, "[b].txt")
        assert server.brought == ["[b].txt"]
        assert "33 %" in "\n".join(rows_of(files.transfers))
        await desk.click(files.transfers, "×")
        assert "cancelled" in "\n".join(rows_of(files.transfers))
        await desk.click(files.transfers, "Again")
        assert server.brought == ["[b].txt"] * 2
        await desk.click("#tabs", "Global")
        assert desk.chat.composer.has_focus


async def test_files_by_command_and_refusals() -> None:
    server = with_files()
    async with sitting(server=server) as desk:
        await desk.write("mystic download a b.txt UDP", "enter")
        assert server.brought == ["a b.txt"]
        await desk.write("/files Music", "enter")
        assert desk.chat.files.table.listing.path == "Music"
        server.refusals[model.ListFolder] = model.Refused(1, "not_a_folder", "[no] folder")
        await desk.press("f5")
        assert any("[no] folder" in toast.message for toast in desk.app._notifications)


# Losing the server, and leaving.


async def test_a_lost_server_is_said_and_trying_now_is_possible() -> None:
    async with sitting() as desk:
        await desk.hear(Waiting("[cut] off", 8.0))
        assert "Connection lost · trying again in 8 s · [cut] off" in desk.shown(Banner)
        assert "○ no connection" in desk.shown(TopBar)
        await desk.click("#banner", "Try now")
        await desk.press("ctrl+r")
        assert desk.server.session.tries_now == 2
        await desk.write("typed meanwhile", "enter")
        assert "◷" in desk.shown()
        await desk.hear(Trying(2))
        assert "reconnect" in desk.shown(Banner)
        desk.server.session.go_online(again=True)
        await desk.settle()
        assert not desk.displayed("#banner")
        assert isinstance(desk.server.session.state, Online)


async def test_disconnecting_by_key_leads_to_the_filled_connect_screen() -> None:
    async with sitting() as desk:
        await desk.press("f10")
        assert desk.connect.query_one("#name", Input).value == "zoe"
        assert desk.connect.query_one("#host", Input).value == "office"
        assert "You have left." in desk.words("#status")
        await desk.press("enter")
        assert desk.chatting
        assert len(desk.server.sessions) == 2


async def test_disconnecting_by_mouse_and_by_command() -> None:
    async with sitting() as desk:
        await desk.click("#top", "Disconnect")
        assert not desk.chatting
        await desk.click("#connect")
        await desk.write("mystic disconnect", "enter")
        assert not desk.chatting


async def test_being_replaced_is_explained() -> None:
    async with sitting() as desk:
        await desk.press("f1")
        desk.server.session.end("replaced", "Another device took over.")
        await desk.settle()
        assert "Another device took over." in desk.words("#status")


async def test_quitting_logs_out() -> None:
    async with sitting() as desk:
        await desk.pilot.press("ctrl+q")
        await desk.pilot.pause()
        assert desk.app.return_code == 0


# Help, sizes, foreign text.


async def test_help_by_key_and_by_command() -> None:
    async with sitting() as desk:
        await desk.press("f1")
        assert isinstance(desk.app.screen, HelpScreen)
        await desk.press("escape")
        await desk.write("/help", "enter")
        assert isinstance(desk.app.screen, HelpScreen)
        await desk.click("#help")
        assert desk.chatting


async def test_dark_and_light() -> None:
    async with sitting() as desk:
        await desk.press("f7")
        assert desk.app.theme == "mystic-light"
        await desk.press("f7")
        assert desk.app.theme == "mystic-dark"


async def test_a_theme_from_the_settings_or_the_default() -> None:
    async with sitting(theme="nord") as desk:
        assert desk.app.theme == "nord"
    async with sitting(theme="nonsense") as desk:
        assert desk.app.theme == "mystic-dark"


async def test_in_a_narrow_terminal_the_lists_come_and_go() -> None:
    async with sitting(size=(80, 24)) as desk:
        assert not desk.displayed("#side")
        await desk.press("f2")
        assert desk.displayed("#side")
        assert desk.chat.query_one(PeopleList).has_focus
        await desk.press("escape")
        assert not desk.displayed("#side")
        await desk.press("f3")
        assert desk.displayed("#side")
        await desk.press("f3")
        assert not desk.displayed("#side")
        await desk.press("f2", "down", "enter")
        assert desk.app.line.store.front == "direct:1,2"
        assert not desk.displayed("#side")
        assert desk.chat.composer.has_focus


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (10, 40), (200, 3)])
async def test_very_small_terminals(size: tuple[int, int]) -> None:
    async with sitting(size=size, server=with_files()) as desk:
        await desk.hear(said(1, ANA, "a long message " * 20), said(2, ANA, "x", between(ANA)))
        desk.chat.composer.focus()
        await desk.write("hi", "enter")
        for keys in ("f1", "escape", "f2", "escape", "f3", "escape", "f4", "enter", "escape", "f6", "escape", "slash"):
            await desk.press(keys)
        await desk.pilot.resize_terminal(120, 40)
        await desk.settle()
        assert desk.posted == [(ToGlobal(), "hi")]


MARKUP = [
    "[/]",
    "[/b]",
    "[b",
    "[@click=app.exit]x",
    "[link=file:///etc/passwd]x",
    "[type=x, v={'a[0]'}]",
    "[on ]",
    "[#zz]",
    "[b]" * 500,
]


async def test_foreign_text_is_text_everywhere() -> None:
    server = FakeServer()
    users = [model.UserRef(100 + n, word) for n, word in enumerate(MARKUP)]
    groups = [model.Group(200 + n, word) for n, word in enumerate(MARKUP)]
    server.users = [OWN, *users]
    server.groups = [GroupInfo(group, users[0], (users[0],)) for group in groups]
    server.folders = {"": [model.FolderEntry(word.replace("/", "|"), "file", 1) for word in MARKUP]}
    server.refusals[model.OpenDownload] = model.Refused(1, "x", MARKUP[0])
    async with sitting(Choice("zoe", "[/b]host", 1), server, recent=[Choice(word, word, 1) for word in MARKUP]) as desk:
        for n, (word, user, group) in enumerate(zip(MARKUP, users, groups, strict=True)):
            await desk.hear(
                said(10 * n + 1, user, word),
                said(10 * n + 2, user, word, between(user)),
                said(10 * n + 3, user, word, group),
                model.UserLeft(10 * n + 4, NOON_US, user, "lost"),
                model.Notice(word),
            )
            await desk.write("hi", "enter")
            server.session.refuse(word)
            await desk.settle()
            assert word[:20] in desk.shown()
        await desk.hear(Waiting(MARKUP[1], 3.0))
        await desk.press("f4")
        for _ in range(len(MARKUP) * 2 + 1):
            await desk.press("ctrl+pagedown")
        server.session.end("name_in_use", MARKUP[3])
        await desk.settle()
        assert desk.words("#name-problem") == MARKUP[3]


async def test_offers_are_taken_by_mouse() -> None:
    async with sitting() as desk:
        await desk.write("/br")
        await desk.click("Completions", "/broadcast")
        assert desk.chat.composer.text == "/broadcast "
        assert desk.chat.query_one(Composer).has_focus
