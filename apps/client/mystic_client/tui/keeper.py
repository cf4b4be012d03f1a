"""Keeper: what owners do to their groups, operators to the peace, and users to their accounts, asked of the server.

Every deed gives "" when it is done, or the sentence that says why it is not: dialogs show it beside what was typed,
commands write it into the conversation. What became of it comes back as an event, as for everybody else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from mysticproto import model

Ask: TypeAlias = Callable[[Callable[[int], model.Request]], Awaitable[model.Reply]]


class Keeper:
    """See the module. `ask` puts a question and always has an answer."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    # Groups, by name.

    async def create(self, name: str, members: tuple[str, ...]) -> str:
        """Makes a kept group with these members, without going into it."""
        return await self._done(lambda n: model.CreateGroup(n, name, False, True, members))

    async def add(self, group: str, name: str) -> str:
        """Adds a known user to a group."""
        return await self._done(lambda n: model.AddMember(n, group, name))

    async def remove(self, group: str, name: str) -> str:
        """Removes a member from a group."""
        return await self._done(lambda n: model.RemoveMember(n, group, name))

    async def rename(self, group: str, name: str) -> str:
        """Gives a group another name."""
        return await self._done(lambda n: model.RenameGroup(n, group, name))

    async def hand_over(self, group: str, name: str) -> str:
        """Makes another member the owner."""
        return await self._done(lambda n: model.HandOver(n, group, name))

    async def keep(self, group: str, kept: bool) -> str:
        """Makes a room a kept group, or a kept group a room."""
        return await self._done(lambda n: model.KeepGroup(n, group, kept))

    async def delete_group(self, group: str) -> str:
        """Ends a group."""
        return await self._done(lambda n: model.DeleteGroup(n, group))

    # The peace.

    async def kick(self, name: str, reason: str = "") -> str:
        """Disconnects somebody."""
        return await self._done(lambda n: model.Kick(n, name, reason))

    async def ban(self, target: str, seconds: int = 0, reason: str = "") -> str:
        """Keeps a name, an address or a network out, for ever with 0 seconds."""
        return await self._done(lambda n: model.Ban(n, target, seconds, reason))

    async def unban(self, target: str) -> str:
        """Ends a ban."""
        return await self._done(lambda n: model.Unban(n, target))

    async def bans(self) -> tuple[model.BanInfo, ...] | str:
        """Who is banned, or why that can't be said."""
        reply = await self._ask(model.ListBans)
        return reply.bans if isinstance(reply, model.Bans) else sentence(reply)

    async def mute(self, name: str, seconds: int = 0, reason: str = "") -> str:
        """Keeps somebody from speaking, until it is ended with 0 seconds."""
        return await self._done(lambda n: model.Mute(n, name, seconds, reason))

    async def unmute(self, name: str) -> str:
        """Lets somebody speak again."""
        return await self._done(lambda n: model.Unmute(n, name))

    async def set_role(self, name: str, role: str) -> str:
        """Makes somebody an "operator" or a "member"."""
        return await self._done(lambda n: model.SetRole(n, name, role))

    async def announce(self, text: str) -> str:
        """Says something to everybody, marked as an announcement."""
        return await self._done(lambda n: model.Announce(n, text))

    async def shutdown(self, *, cancel: bool = False) -> str:
        """Has the server count down and stop, or not after all."""
        return await self._done(lambda n: model.Shutdown(n, cancel))

    # One's account.

    async def set_password(self, password: str) -> str:
        """Sets or changes the password of one's name, claiming it if it was nobody's."""
        return await self._done(lambda n: model.SetPassword(n, password))

    async def devices(self) -> model.Devices | str:
        """Which devices may log in by their key, or why that can't be said."""
        reply = await self._ask(model.ListDevices)
        return reply if isinstance(reply, model.Devices) else sentence(reply)

    async def remove_device(self, key: bytes) -> str:
        """Takes that right from a device."""
        return await self._done(lambda n: model.RemoveDevice(n, key))

    async def delete_account(self, name: str = "") -> str:
        """Gives one's name up for ever, or as an operator somebody else's."""
        return await self._done(lambda n: model.DeleteAccount(n, name))

    async def _done(self, make: Callable[[int], model.Request]) -> str:
        reply = await self._ask(make)
        return "" if isinstance(reply, model.Ok | model.Entered) else sentence(reply)


def sentence(reply: model.Reply) -> str:
    """Why an answer is not the one that was hoped for."""
    return reply.text if isinstance(reply, model.Refused) else "The server's answer makes no sense."
