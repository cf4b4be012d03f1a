"""What owners, operators and users ask of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mystic_client.tui.keeper import Keeper
from mysticproto import model


class Server:
    """Answers everything in one way."""

    def __init__(self, answer: model.Reply) -> None:
        self.asked: list[model.Request] = []
        self._answer = answer

    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        self.asked.append(make(1))
        return self._answer


DEEDS: dict[str, tuple[Callable[[Keeper], Any], model.Request]] = {
    "create": (lambda k: k.create("dev", ("ana",)), model.CreateGroup(1, "dev", False, True, ("ana",))),
    "add": (lambda k: k.add("dev", "ana"), model.AddMember(1, "dev", "ana")),
    "remove": (lambda k: k.remove("dev", "ana"), model.RemoveMember(1, "dev", "ana")),
    "rename": (lambda k: k.rename("dev", "ops"), model.RenameGroup(1, "dev", "ops")),
    "hand over": (lambda k: k.hand_over("dev", "ana"), model.HandOver(1, "dev", "ana")),
    "keep": (lambda k: k.keep("dev", True), model.KeepGroup(1, "dev", True)),
    "delete": (lambda k: k.delete_group("dev"), model.DeleteGroup(1, "dev")),
    "kick": (lambda k: k.kick("ana", "why"), model.Kick(1, "ana", "why")),
    "ban": (lambda k: k.ban("ana", 60, "why"), model.Ban(1, "ana", 60, "why")),
    "unban": (lambda k: k.unban("ana"), model.Unban(1, "ana")),
    "mute": (lambda k: k.mute("ana", 60, "why"), model.Mute(1, "ana", 60, "why")),
    "unmute": (lambda k: k.unmute("ana"), model.Unmute(1, "ana")),
    "role": (lambda k: k.set_role("ana", "operator"), model.SetRole(1, "ana", "operator")),
    "announce": (lambda k: k.announce("tea"), model.Announce(1, "tea")),
    "shutdown": (lambda k: k.shutdown(cancel=True), model.Shutdown(1, True)),
    "password": (lambda k: k.set_password("correct horse"), model.SetPassword(1, "correct horse")),
    "device": (lambda k: k.remove_device(b"k"), model.RemoveDevice(1, b"k")),
    "account": (lambda k: k.delete_account(), model.DeleteAccount(1)),
}


@pytest.mark.parametrize("name", DEEDS)
async def test_deeds_are_requests_and_end_in_nothing_or_a_sentence(name: str) -> None:
    do, request = DEEDS[name]
    server = Server(model.Ok(1))
    assert await do(Keeper(server.ask)) == ""
    assert server.asked == [request]
    assert await do(Keeper(Server(model.Refused(1, "not_allowed", "No.")).ask)) == "No."
    assert "no sense" in await do(Keeper(Server(model.Pong(1, 0)).ask))


async def test_lists_come_as_they_are_or_as_a_sentence() -> None:
    bans = model.Bans(1, (model.BanInfo("ana", model.UserRef(1, "zoe"), "", 0, 0),))
    assert await Keeper(Server(bans).ask).bans() == bans.bans
    assert await Keeper(Server(model.Refused(1, "x", "No.")).ask).bans() == "No."
    devices = model.Devices(1, ())
    assert await Keeper(Server(devices).ask).devices() == devices
    assert await Keeper(Server(model.Refused(1, "x", "No.")).ask).devices() == "No."
