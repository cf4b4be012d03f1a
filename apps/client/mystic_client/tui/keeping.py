"""The commands of owners and operators carried out: each asks the server, some ask the user first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from mystic_client.model import keeping
from mystic_client.model.text import counted
from mystic_client.model.whereabouts import until
from mystic_client.tui.line import Line

AskUser: TypeAlias = Callable[[str, str, str], Awaitable[bool]]
NO_GROUP: Final = "That is about a group: turn to its conversation first."


class Keeping:
    """`ask_user(question, yes, no)` asks in front of the screen."""

    def __init__(self, line: Line, ask_user: AskUser) -> None:
        self._line, self._ask_user = line, ask_user

    async def carry_out(self, command: keeping.Keeping, group: str) -> None:
        """Does what a command says; `group` is the name of the group in whose conversation it was given, or ""."""
        if isinstance(command, keeping.OfGroup):
            problem = await self._in_group(command, group) if group else NO_GROUP
        else:
            problem = await self._for_peace(command)
        if problem:
            self._line.complain(problem)

    async def _in_group(self, command: keeping.OfGroup, group: str) -> str:
        keeper = self._line.keeper
        match command:
            case keeping.Add(name):
                return await keeper.add(group, name)
            case keeping.Remove(name):
                return await keeper.remove(group, name)
            case keeping.Rename(name):
                return await keeper.rename(group, name)
            case keeping.HandOver(name):
                return await keeper.hand_over(group, name)
            case keeping.Keep(kept):
                return await keeper.keep(group, kept)
            case keeping.DeleteGroup():
                question = f"End the group {group} for all its members?"
                return await keeper.delete_group(group) if await self._ask_user(question, "End it", "Keep it") else ""

    async def _for_peace(self, command: keeping.OfPeace) -> str:
        keeper = self._line.keeper
        match command:
            case keeping.Kick(name, reason):
                return await keeper.kick(name, reason)
            case keeping.Ban(target, seconds, reason):
                return await keeper.ban(target, seconds, reason)
            case keeping.Unban(target):
                return await keeper.unban(target)
            case keeping.Bans():
                return await self._show_bans()
            case keeping.Mute(name, seconds, reason):
                return await keeper.mute(name, seconds, reason)
            case keeping.Unmute(name):
                return await keeper.unmute(name)
            case keeping.SetRole(name, role):
                return await keeper.set_role(name, role)
            case keeping.Announce(text):
                return await keeper.announce(text)
            case keeping.Shutdown(cancel):
                return await self._shutdown(cancel=cancel)

    async def _show_bans(self) -> str:
        bans = await self._line.keeper.bans()
        if isinstance(bans, str):
            return bans
        now_us = self._line.now_us()
        lines = [
            f"{ban.target} {until(ban.until_us, now_us)}, by {ban.by.name}{': ' * bool(ban.reason)}{ban.reason}"
            for ban in bans
        ]
        self._line.note("\n".join([f"{counted(len(bans), 'ban')}:", *lines]) if bans else "Nobody is banned.")
        return ""

    async def _shutdown(self, *, cancel: bool) -> str:
        question = "Stop the server for everybody, after a countdown of 60 seconds?"
        if cancel or await self._ask_user(question, "Stop it", "Go on"):
            return await self._line.keeper.shutdown(cancel=cancel)
        return ""
