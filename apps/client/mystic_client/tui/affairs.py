"""What dialogs are opened for, and what becomes of their answers.

A dialog that asks the server itself is given the line's `Keeper`; one that only asks the user gives its answer back
here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from textual.app import App
from textual.content import Content
from textual.screen import Screen

from mystic_client.model.store import Store
from mystic_client.model.text import duration_in_words
from mystic_client.model.whereabouts import described
from mystic_client.session.heard import Online
from mystic_client.session.secure import Security
from mystic_client.tui.deeds import Deeds
from mystic_client.tui.line import Line
from mystic_client.tui.messages import DialogWanted
from mystic_client.tui.outside import Outside
from mystic_client.tui.screens.account import AccountScreen
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.dialogs import Choosable, Dialog, Menu, Typed
from mystic_client.tui.screens.group import GroupScreen, NewGroup, Wish, hand_over_question
from mystic_client.tui.screens.person import BAN_SECONDS, Sentence, SentenceForm, person_rows
from mystic_client.tui.screens.server import ServerScreen
from mystic_client.tui.widgets.bars import Bannered
from mysticproto.model import GroupInfo, UserInfo, UserRef

MENU: Final = (
    Choosable("", "Go to"),
    Choosable("do:app.switch", "Go to…", "Ctrl+K"),
    Choosable("do:app.search", "Search…", "Ctrl+F"),
    Choosable("do:people", "People", "F2"),
    Choosable("do:groups", "Groups", "F3"),
    Choosable("do:files", "Shared files", "F4"),
    Choosable("do:app.new_group", "New group…", "F6"),
    Choosable("", "Mystic"),
    Choosable("do:app.other_theme", "Dark or light", "F7"),
    Choosable("do:app.help", "Help", "F1"),
    Choosable("do:disconnect", "Disconnect", "F10"),
    Choosable("do:app.quit", "Quit", "Ctrl+Q"),
)


def safety_in_words(security: Security) -> str:
    """Whether others on the way can read along."""
    if security.is_exposed:
        return "not encrypted"
    return "encrypted" if security.fingerprint else "this computer"


def explained(security: Security) -> str:
    """The same, with what the user can do about it."""
    if security.is_exposed:
        return "This connection is not encrypted: others on the way can read along, and change what is said."
    if security.fingerprint:
        return f"This connection is encrypted. The fingerprint of the server's key is {security.fingerprint}."
    return "The server is on this computer: nobody is in between."


def stopping(line: Line) -> Bannered | None:
    """What is said while the server counts down, and to operators how to call it off."""
    if not line.stops_at_s or not isinstance(line.state, Online):
        return None
    left_s = max(0.0, line.stops_at_s - asyncio.get_running_loop().time())
    words = f"The server stops in {duration_in_words(left_s)}."
    if line.store.roster.is_operator(line.store.own.id):
        return Bannered(words, "warning", "open:go-on", "Don't stop")
    return Bannered(words, "warning")


class Affairs:
    """See the module. `chat` gives the chat screen, if there is one."""

    def __init__(
        self, app: App[None], line: Line, deeds: Deeds, outside: Outside, chat: Callable[[], ChatScreen | None]
    ) -> None:
        self._app, self._line, self._deeds, self._outside, self._chat = app, line, deeds, outside, chat

    @property
    def _store(self) -> Store:
        return self._line.store

    def open(self, wanted: DialogWanted) -> None:
        """Opens what the user wants to see more of."""
        about = wanted.about
        match wanted.what:
            case "menu":
                self._open_menu()
            case "account":
                self._open_account()
            case "server":
                self._app.push_screen(ServerScreen(self._line.keeper, self._outside.clock))
            case "go-on":
                self._report(self._line.keeper.shutdown(cancel=True))
            case "safety":
                self._line.note(explained(self._line.session.security))
            case "details":
                self._open_talk(self._store.front)
            case "talk":
                self._open_talk(str(about))
            case "group":
                self._open_group(int(about))
            case "person":
                self._open_person(about)

    def follow(self) -> None:
        """Lets the dialogs that are open show what changed."""
        for screen in self._app.screen_stack:
            if isinstance(screen, Dialog) and screen.is_ready:
                screen.follow()

    # The menu.

    def _open_menu(self) -> None:
        rows = [*self._front_rows(), Choosable("account", "Your account…", "password, devices, receipts")]
        if self._store.roster.is_operator(self._store.own.id):
            if self._line.stops_at_s:
                rows.insert(0, Choosable("go-on", "Don't stop the server"))
            rows.append(Choosable("server", "The server…", "bans, announcement, stop"))
        self._app.push_screen(Menu(Content("Menu"), "", [*rows, *MENU]), self._from_menu)

    def _front_rows(self) -> list[Choosable]:
        talk = self._store.front_talk
        if talk.group is not None and talk.group.id in self._store.roster.groups:
            return [Choosable("details", f"The group {talk.title}…", "F5")]
        if talk.kind == "direct" and len(talk.people) == 1:
            return [Choosable("details", f"About {talk.title}…", "F5")]
        return []

    def _from_menu(self, act: str | None) -> None:
        if act is None:
            return
        chat = self._chat()
        if act.startswith("do:") and chat is not None:
            chat.call_later(chat.run_action, act.removeprefix("do:"))
        else:
            self.open(DialogWanted(act))

    # Groups.

    def _open_talk(self, key: str) -> None:
        talk = self._store.talks.get(key)
        if talk is None:
            return
        if talk.group is not None:
            self._open_group(talk.group.id)
        elif talk.kind == "direct" and len(talk.people) == 1:
            self._open_person(talk.people[0].name)
        else:
            self._open_menu()

    def _open_group(self, group_id: int) -> None:
        if group_id in self._store.roster.groups:
            self._app.push_screen(GroupScreen(self._store, group_id, self._line.keeper, self._outside.clock))

    def new_group(self) -> None:
        """Asks for a new group, and makes it."""
        store = self._store
        dialog = NewGroup(store.roster, store.own.id, self._outside.clock, keeps_global=self._outside.keeps_global)
        self._app.push_screen(dialog, self._create)

    def _create(self, wish: Wish | None) -> None:
        if wish is None:
            return
        if wish.kept:
            self._line.do(self._line.create(wish.name, False, wish.members))
        else:
            self._line.do(self._deeds.create(wish.name, wish.focus))

    # People.

    def _open_person(self, about: int | str) -> None:
        info, own = self._info(about), self._info(self._store.own.id)
        if info.user.id == own.user.id:
            self._open_account()
            return
        group, now_us = self._group_at_hand(), self._outside.clock.now_us()
        menu = Menu(
            Content(info.user.name),
            described(info, now_us, self._outside.clock.zone),
            person_rows(info, own, group, now_us),
        )
        self._app.push_screen(menu, lambda act: self._about_person(act, info.user, group))

    def _info(self, about: int | str) -> UserInfo:
        """What is known of somebody by id or name."""
        roster = self._store.roster
        user = roster.named(about) if isinstance(about, str) else None
        user_id = about if isinstance(about, int) else user.id if user else 0
        member = next((m for info in roster.groups.values() for m in info.members if m.id == user_id), None)
        name = about if isinstance(about, str) else member.name if member else self._store.own.name
        return roster.info(user_id) or UserInfo(user or member or UserRef(user_id, name), here=False)

    def _group_at_hand(self) -> GroupInfo | None:
        """The group whose dialog is open, or else the one in front."""
        screen: Screen[object] = self._app.screen
        if isinstance(screen, GroupScreen):
            return screen.info
        group = self._store.front_talk.group
        return self._store.roster.groups.get(group.id) if group else None

    def _about_person(self, act: str | None, user: UserRef, group: GroupInfo | None) -> None:
        keeper, name = self._line.keeper, user.name
        group_name = group.group.name if group else ""
        word, _, rest = (act or "").partition(":")
        match word:
            case "message":
                self._write_to(user)
            case "mention":
                self._mention(name)
            case "add":
                self._report(keeper.add(group_name, name))
            case "remove":
                self._report(keeper.remove(group_name, name))
            case "hand-over":
                self._hand_over(group_name, name)
            case "mute":
                self._report(keeper.mute(name, int(rest)))
            case "unmute":
                self._report(keeper.unmute(name))
            case "role":
                self._report(keeper.set_role(name, rest))
            case "kick":
                self._app.push_screen(SentenceForm(f"Kick {name}", "Kick", name), self._kick)
            case "ban":
                self._app.push_screen(SentenceForm(f"Ban {name}", "Ban", name, BAN_SECONDS), self._ban)
            case "delete-account":
                self._delete_account(name)

    def _hand_over(self, group: str, name: str) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._report(self._line.keeper.hand_over(group, name))

        self._app.push_screen(hand_over_question(group, name), answered)

    def _write_to(self, user: UserRef) -> None:
        store = self._store
        store.look_at(store.open_direct([user]) if user.id else store.open_named([user.name]))
        self._to_chat()
        self._line.heard([])

    def _mention(self, name: str) -> None:
        chat = self._to_chat()
        if chat is not None:
            chat.composer.insert(f"@{name} ")

    def _to_chat(self) -> ChatScreen | None:
        """Closes all dialogs and goes to the line."""
        chat = self._chat()
        for screen in reversed(self._app.screen_stack):
            if isinstance(screen, Dialog):
                screen.dismiss(None)
        if chat is not None:
            chat.action_line()
        return chat

    # Operators.

    def _kick(self, sentence: Sentence | None) -> None:
        if sentence is not None:
            self._report(self._line.keeper.kick(sentence.target, sentence.reason))

    def _ban(self, sentence: Sentence | None) -> None:
        if sentence is not None:
            self._report(self._line.keeper.ban(sentence.target, sentence.seconds, sentence.reason))

    def _delete_account(self, name: str) -> None:
        def answered(sure: bool | None) -> None:
            if sure:
                self._report(self._line.keeper.delete_account(name))

        warning = f"The name {name} is free for anybody then. What they have said stays. Type the name to confirm."
        self._app.push_screen(Typed(f"Delete the account of {name}", warning, name, "Delete it"), answered)

    def _report(self, deed: Awaitable[str]) -> None:
        """Says so if something that was asked is refused; what is done comes back as an event."""
        self._line.do(self._reported(deed))

    async def _reported(self, deed: Awaitable[str]) -> None:
        problem = await deed
        if problem:
            self._app.notify(problem, severity="error", markup=False)

    # One's own.

    def _open_account(self) -> None:
        outside = self._outside
        screen = AccountScreen(
            self._store,
            self._line.keeper,
            outside.clock,
            shares_read=outside.shares_read(),
            share_reads=self._share_reads,
        )
        self._app.push_screen(screen)

    def _share_reads(self, shares: bool) -> str:
        self._line.session.share_reads(shares)
        return self._outside.keep_shares_read(shares)
