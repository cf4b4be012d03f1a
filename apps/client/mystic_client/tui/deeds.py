"""Commands carried out: what each means for the session, the store and the screen."""

from __future__ import annotations

from typing import Protocol

from mystic_client.model import commands
from mystic_client.model.talk import GLOBAL
from mystic_client.model.text import counted
from mystic_client.model.timeline import Entry
from mystic_client.tui.keeping import Keeping
from mystic_client.tui.line import Line
from mysticproto.model import Group, ToEveryone, UserRef


class Stage(Protocol):
    """What commands need of the app."""

    def disconnect(self) -> None: ...
    def action_help(self) -> None: ...
    def open_folder(self, path: str) -> None: ...
    def download(self, path: str, protocol: str) -> None: ...
    def put(self, path: str, key: str) -> None: ...
    def action_dialog(self, what: str) -> None: ...
    def open_search(self, words: str) -> None: ...
    def tell(self, text: str) -> None: ...
    async def ask_user(self, question: str, yes: str, no: str) -> bool: ...


class Deeds:
    """`keeps_global`: joining a group doesn't stop global from being heard."""

    def __init__(self, line: Line, stage: Stage, *, keeps_global: bool) -> None:
        self._line, self._stage = line, stage
        self._focus = not keeps_global
        self._keeping = Keeping(line, stage.ask_user)

    async def carry_out(self, command: commands.Command, key: str) -> None:
        """Does what a command says that was given in the conversation `key`."""
        line, store = self._line, self._line.store
        match command:
            case commands.Say(text):
                line.say(key if key in store.talks else store.front, text)
            case commands.Direct(names, text):
                self._write_to(names, text)
            case commands.Broadcast(text):
                line.say(GLOBAL, text, ToEveryone())
            case commands.Help():
                self._stage.action_help()
            case commands.Disconnect():
                self._stage.disconnect()
            case commands.ShowUsers():
                line.note("Online users: " + ", ".join(info.user.name for info in store.roster.users.values()))
            case commands.ShowGroups():
                self._show_groups()
            case commands.Clear():
                store.clear(key)
                line.note("The view was emptied. Nothing was deleted.")
            case commands.Create(name):
                await self._enter(name, create=True)
            case commands.Join(name):
                await self._enter(name, create=False)
            case commands.Leave(name):
                await line.leave(name or self._group_to_leave(key))
            case commands.Files(folder):
                self._stage.open_folder(folder)
            case commands.Download(path, protocol):
                self._stage.download(path, protocol)
            case commands.Put(path):
                self._stage.put(path, key)
            case commands.Account():
                self._stage.action_dialog("account")
            case commands.Search(words):
                self._stage.open_search(words)
            case commands.Edit() | commands.Delete() | commands.WhoRead():
                await self._about_own(command, key)
            case _:
                await self._keeping.carry_out(command, self._group_to_leave(key))

    async def _about_own(self, command: commands.Edit | commands.Delete | commands.WhoRead, key: str) -> None:
        """What is about the last message of one's own in a conversation."""
        talk = self._line.store.talks.get(key)
        entry = talk.timeline.last_own() if talk else None
        if entry is None:
            self._line.complain("There is no message of yours here.")
            return
        match command:
            case commands.Edit(text):
                if problem := await self._line.edit(entry.place, text):
                    self._line.complain(problem)
            case commands.Delete():
                await self.delete(entry)
            case commands.WhoRead():
                self._stage.tell(await self._line.readers(key, entry))

    async def act(self, name: str, key: str, entry: Entry) -> None:
        """What was chosen to be done with a message of a conversation."""
        match name:
            case "delete":
                await self.delete(entry)
            case "readers":
                self._stage.tell(await self._line.readers(key, entry))
            case "author":
                store = self._line.store
                store.look_at(store.open_direct([UserRef(entry.author_id, entry.author)]))
                self._line.heard([])

    async def delete(self, entry: Entry) -> None:
        """Takes a message away, if the user means it."""
        if not await self._stage.ask_user("Delete this message for everybody?", "Delete", "Keep"):
            return
        if problem := await self._line.delete(entry.number):
            self._line.complain(problem)

    def _write_to(self, names: tuple[str, ...], text: str) -> None:
        store = self._line.store
        key = store.open_named(names)
        store.look_at(key)
        self._line.say(key, text)

    def _show_groups(self) -> None:
        groups = self._line.store.roster.groups.values()
        listed = [f"{info.group.name} ({counted(len(info.members), 'member')})" for info in groups]
        self._line.note("Groups: " + ", ".join(listed) if listed else "No groups exist yet.")

    async def create(self, name: str, focus: bool) -> None:
        """Makes a group and goes into it; `focus`: to hear it instead of global."""
        await self._enter(name, create=True, focus=focus)

    async def _enter(self, name: str, *, create: bool, focus: bool | None = None) -> None:
        """Goes into a group; one may be in one room only, so another one has to be left first."""
        focus = self._focus if focus is None else focus
        line, store = self._line, self._line.store
        known = store.roster.group_named(name)
        if known and store.roster.is_member(store.own.id, known.group.id):
            store.look_at(store.open_group(known.group))
            line.heard([])
            return
        if focus and store.focus is not None:
            question = f"You are in {store.focus.name}. Leave it and go to {name}?"
            if not await self._stage.ask_user(question, "Leave and go", "Stay"):
                return
            if not await line.leave(store.focus.name):
                return
        await (line.create(name, focus) if create else line.join(name, focus))

    def _group_to_leave(self, key: str) -> str:
        """The name of the group whose conversation this is; of none, the session's own group is meant."""
        talk = self._line.store.talks.get(key)
        return talk.group.name if talk and talk.group else ""

    async def close(self, key: str) -> None:
        """Closes a conversation; a group's is left first."""
        store = self._line.store
        talk = store.talks.get(key)
        if talk is None or key == GLOBAL:
            return
        inside = talk.group is not None and store.roster.is_member(store.own.id, talk.group.id)
        if inside and talk.group is not None and not await self._line.leave(talk.group.name):
            return
        store.close(key)
        self._line.heard([])

    async def open_group(self, group: Group) -> None:
        """Turns to a group's conversation, joining it first if need be."""
        store = self._line.store
        if store.roster.is_member(store.own.id, group.id):
            store.look_at(store.open_group(group))
            self._line.heard([])
        else:
            await self._enter(group.name, create=False)
