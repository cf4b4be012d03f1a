"""Dialogs from the chat: by mouse alone and by keys alone, and names that would rather be markup."""

from __future__ import annotations

import pytest
from textual.widgets import Checkbox, Input

from mystic_client.session.secure import Security
from mystic_client.tui.affairs import explained, safety_in_words
from mystic_client.tui.messages import DialogWanted
from mystic_client.tui.screens.account import AccountScreen
from mystic_client.tui.screens.dialogs import Menu, MenuList, Question, Typed
from mystic_client.tui.screens.group import GroupScreen, NewGroup
from mystic_client.tui.screens.help import HelpScreen
from mystic_client.tui.screens.person import SentenceForm
from mystic_client.tui.screens.server import ServerScreen
from mystic_client.tui.widgets.bars import Banner, TopBar
from mystic_client.tui.widgets.tab_bar import TabBar
from mysticproto import model
from mysticproto.model import Group, GroupInfo, UserInfo, UserRef
from tests.support.desk import Desk, sitting
from tests.support.fake_session import ANA, BOB, DEV, EVA, MINUTE_US, NOON_US, OWN, FakeServer, said
from tests.support.widget_app import rows_of


def served(role: str = "operator") -> FakeServer:
    """A server with a kept group of one's own, and somebody who is away."""
    server = FakeServer()
    server.users = [OWN, ANA, BOB]
    server.roles = {OWN.id: role, ANA.id: "member"}
    server.away = [UserInfo(EVA, "member", here=False, last_seen_us=NOON_US - 5 * MINUTE_US)]
    server.groups = [GroupInfo(DEV, OWN, (OWN, ANA, EVA), kept=True)]
    return server


def asked(desk: Desk, kind: type) -> list[model.Request]:
    return [request for request in desk.server.session.requests if isinstance(request, kind)]


async def choose(desk: Desk, words: str) -> None:
    """Clicks on a row of the menu in front."""
    await desk.click("#menu", words)


async def choose_by_key(desk: Desk, words: str) -> None:
    """Goes down to a row of the menu in front, and takes it."""
    menu = desk.app.screen.query_one(MenuList)
    index = next(n for n, row in enumerate(menu.rows) if words in row.words)
    while menu.cursor < index:
        await desk.press("down")
    await desk.press("enter")


# The menu.


async def test_the_menu_by_keys_alone() -> None:
    async with sitting(server=served()) as desk:
        for words, screen in (
            ("account", AccountScreen),
            ("server", ServerScreen),
            ("New group", NewGroup),
            ("Help", HelpScreen),
        ):
            await desk.press("f9")
            assert type(desk.app.screen) is Menu
            await choose_by_key(desk, words)
            assert type(desk.app.screen).__name__ == screen.__name__
            await desk.press("escape")
            assert desk.chatting
        await desk.press("f9")
        await choose_by_key(desk, "People")
        assert desk.chat.people.has_focus


async def test_the_menu_by_mouse_alone() -> None:
    async with sitting(server=served()) as desk:
        await desk.click("#top", "Menu")
        await choose(desk, "Shared files")
        assert desk.chat.shows_files
        await desk.click("#top", "Menu")
        await choose(desk, "Dark or light")
        assert desk.app.theme == "mystic-light"
        await desk.click("#top", "Menu")
        await desk.click(".close")
        await desk.click("#top", "Menu")
        await choose(desk, "Disconnect")
        assert not desk.chatting


async def test_who_is_no_operator_sees_nothing_of_theirs() -> None:
    async with sitting(server=served("member")) as desk:
        assert "Server" not in desk.shown(TopBar)
        await desk.press("f9")
        assert "server" not in " ".join(row.words for row in desk.app.screen.query_one(MenuList).rows)


# Groups.


async def test_a_groups_dialog_by_mouse_alone() -> None:
    async with sitting(server=served()) as desk:
        await desk.click("#groups", "dev")
        await desk.click("#tabs", "⚙")
        assert isinstance(desk.app.screen, GroupScreen)
        await desk.click("#members", "eva")
        assert "away, last seen 5 min ago" in desk.words(".about")
        await choose(desk, "Remove from dev")
        assert asked(desk, model.RemoveMember) == [model.RemoveMember(len(desk.server.session.requests), "dev", "eva")]
        await desk.hear(model.GroupLeft(9, NOON_US, DEV, EVA, "removed"))
        assert "eva" not in "\n".join(rows_of(desk.app.screen.query_one("#members"))), "it follows what happens"
        await desk.click(".close")
        await desk.pilot.click(desk.chat.query_one(TabBar), offset=(12, 0), button=3)
        assert isinstance(desk.app.screen, GroupScreen), "a right click on the tab"


async def test_a_groups_dialog_by_keys_alone() -> None:
    async with sitting(server=served()) as desk:
        await desk.press("f3", "f5")
        assert isinstance(desk.app.screen, GroupScreen)
        await desk.press("escape", "enter", "f5")
        assert isinstance(desk.app.screen, GroupScreen), "of the conversation in front"
        await desk.press("down", "enter")
        await choose_by_key(desk, "Make the owner")
        await desk.press("y")
        assert asked(desk, model.HandOver)[-1:] and isinstance(desk.app.screen, GroupScreen)
        await desk.press("down", "enter")
        await choose_by_key(desk, "Message")
        assert desk.app.line.store.front_talk.title == "eva"
        assert desk.chat.composer.has_focus


async def test_a_kept_group_is_made_with_its_members() -> None:
    async with sitting(server=served()) as desk:
        await desk.press("f6", *"art", "tab", "space", *"ev", "enter", "enter")
        made = asked(desk, model.CreateGroup)[0]
        assert isinstance(made, model.CreateGroup)
        assert (made.name, made.focus, made.kept, made.members) == ("art", False, True, ("eva",))
        assert desk.app.line.store.front_talk.title == "art"


async def test_a_room_beside_global() -> None:
    async with sitting(server=served()) as desk:
        await desk.click("#new-group")
        desk.app.screen.query_one("#group-name", Input).value = "art"
        await desk.click("#hears-global")
        await desk.click("#create")
        made = asked(desk, model.CreateGroup)[0]
        assert isinstance(made, model.CreateGroup)
        assert (made.name, made.focus, made.kept, made.members) == ("art", False, False, ())
        assert desk.focus == ""


# People.


async def test_a_persons_menu_by_mouse_alone() -> None:
    async with sitting(server=served()) as desk:
        await desk.click("#people", "ana", button=3)
        await choose(desk, "Mention")
        assert desk.chat.composer.text == "@ana "
        await desk.click("#people", "ana", button=3)
        await choose(desk, "Mute for 1 hour")
        mute = asked(desk, model.Mute)[0]
        assert isinstance(mute, model.Mute) and (mute.name, mute.seconds) == ("ana", 3600)
        await desk.hear(model.Moderated(5, NOON_US, "mute", OWN, "ana", until_us=NOON_US + 60 * MINUTE_US))
        assert "muted" in "\n".join(rows_of(desk.chat.people))
        await desk.click("#people", "ana", button=3)
        await choose(desk, "Let speak again")
        assert len(asked(desk, model.Unmute)) == 1
        await desk.click("#people", "ana", button=3)
        await choose(desk, "Ban")
        assert isinstance(desk.app.screen, SentenceForm)
        await desk.click("#sure")
        assert len(asked(desk, model.Ban)) == 1
        await desk.click("#people", "ana", button=3)
        await choose(desk, "Delete the account")
        assert isinstance(desk.app.screen, Typed)
        await desk.write("ana")
        await desk.click("#sure")
        assert len(asked(desk, model.DeleteAccount)) == 1


async def test_a_persons_menu_by_keys_alone() -> None:
    async with sitting(server=served()) as desk:
        await desk.press("f2", "down", "f5")
        await choose_by_key(desk, "Kick")
        await desk.press(*"spam", "enter")
        kick = asked(desk, model.Kick)[0]
        assert isinstance(kick, model.Kick) and (kick.name, kick.reason) == ("ana", "spam")
        desk.server.refusals[model.SetRole] = model.Refused(1, "not_allowed", "Not [yet].")
        await desk.press("f5")
        await choose_by_key(desk, "Make an operator")
        assert [note.message for note in desk.app._notifications] == ["Not [yet]."]
        await desk.press("down", "down", "enter")
        assert desk.app.line.store.front_talk.title == "eva", "those who are away can be written to"
        await desk.press("f5")
        assert "away" in desk.words(".about")


async def test_the_name_of_an_author_leads_to_their_menu() -> None:
    async with sitting(server=served()) as desk:
        await desk.hear(said(1, UserRef(50, "ghost"), "boo"), said(2, OWN, "hi"))
        await desk.click("#messages", "ghost")
        assert desk.words(".about") == "a guest · away"
        await choose(desk, "Message")
        assert desk.app.line.store.front_talk.title == "ghost"


# One's own, and the server.


async def test_the_account_by_a_click_on_ones_name() -> None:
    async with sitting(server=served()) as desk:
        await desk.click("#top", "zoe")
        assert isinstance(desk.app.screen, AccountScreen)
        await desk.click(".close")
        await desk.click("#people", "zoe", button=3)
        assert isinstance(desk.app.screen, AccountScreen)


async def test_a_stop_is_called_off_by_mouse_and_by_keys() -> None:
    async with sitting(server=served(), size=(140, 40)) as desk:
        await desk.click("#top", "Server")
        assert isinstance(desk.app.screen, ServerScreen)
        await desk.click("#stop")
        assert isinstance(desk.app.screen, Question)
        await desk.click("#connect")
        await desk.hear(model.StoppingIn(60))
        assert "The server stops in" in desk.shown(Banner)
        await desk.click("#banner", "Don't stop")
        await desk.press("f9")
        await choose_by_key(desk, "Don't stop")
        assert [request.cancel for request in asked(desk, model.Shutdown) if isinstance(request, model.Shutdown)] == [
            False,
            True,
            True,
        ]
        await desk.hear(model.StoppingIn(0))
        assert not desk.displayed("#banner")


async def test_others_are_told_of_the_stop() -> None:
    async with sitting(server=served("member")) as desk:
        await desk.hear(model.StoppingIn(30))
        assert "The server stops in" in desk.shown(Banner) and "Don't" not in desk.shown(Banner)


@pytest.mark.parametrize(
    ("security", "words", "more"),
    [
        (Security(), "this computer", "nobody is in between"),
        (Security("ab:cd", is_new=True), "encrypted", "ab:cd"),
        (Security(is_exposed=True), "not encrypted", "read along"),
    ],
)
async def test_what_protects_the_connection(security: Security, words: str, more: str) -> None:
    assert safety_in_words(security) == words and more in explained(security)
    server = served()
    server.security = security
    async with sitting(server=server) as desk:
        assert f"office:12000 · {words}" in desk.shown(TopBar)
        await desk.click("#top", words)
        assert more in desk.shown()


# Names that would rather be markup.

HOSTILE = ["[/]", "[/b]", "[@click=app.exit]x", "[link=file:///x]y", "[b]" * 30]


@pytest.mark.parametrize("word", HOSTILE)
async def test_hostile_names_are_text_in_every_dialog(word: str) -> None:
    server, user, group = served(), UserRef(100, word), Group(200, word)
    server.users = [OWN, user]
    server.away = [UserInfo(UserRef(150, "[/away]"), "member", here=False)]
    server.groups = [GroupInfo(group, OWN, (OWN, user), kept=True)]
    server.bans = [model.BanInfo(word, user, word, NOON_US, model.FOR_EVER_US)]
    async with sitting(server=server) as desk:
        await desk.hear(said(1, user, word))
        desk.app.on_dialog_wanted(_wanted("person", user.id))
        await desk.settle()
        assert desk.words(".title") == word
        for act in ("Kick", "Ban"):
            await choose_by_key(desk, act)
            await desk.press("escape")
            desk.app.on_dialog_wanted(_wanted("person", user.id))
            await desk.settle()
        await desk.press("escape")
        desk.app.on_dialog_wanted(_wanted("group", group.id))
        await desk.settle()
        assert desk.words(".title") == f"# {word}"
        await desk.press("down", "tab", "enter", "escape", "tab", "tab", "enter", "escape", "escape")
        assert desk.chatting
        desk.app.on_dialog_wanted(_wanted("server", 0))
        await desk.settle()
        await desk.press("escape")
        server.refusals[model.ListBans] = model.Refused(1, "x", word)
        desk.app.on_dialog_wanted(_wanted("server", 0))
        await desk.settle()
        assert desk.words(".problem") == word


def _wanted(what: str, about: int) -> DialogWanted:
    return DialogWanted(what, about)


async def test_read_receipts_are_switched_for_the_session_and_kept() -> None:
    async with sitting() as desk:
        await desk.click("#top", "Menu")
        await choose(desk, "Your account")
        await desk.click("#shares-read")
        assert desk.server.session.shared == [False] and not desk.server.shares_read
        await desk.press("escape", "f9")
        await choose_by_key(desk, "Your account")
        assert not desk.app.screen.query_one("#shares-read", Checkbox).value
