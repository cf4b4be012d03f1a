from __future__ import annotations

from typing import get_args

import pytest

from mystic_client.cli.keep import of_group, of_peace
from mystic_client.model import keeping
from mysticproto import model
from mysticproto.model import Request


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (keeping.Add("bob"), model.AddMember(7, "team", "bob")),
        (keeping.Remove("bob"), model.RemoveMember(7, "team", "bob")),
        (keeping.Rename("crew"), model.RenameGroup(7, "team", "crew")),
        (keeping.HandOver("bob"), model.HandOver(7, "team", "bob")),
        (keeping.Keep(False), model.KeepGroup(7, "team", False)),
        (keeping.DeleteGroup(), model.DeleteGroup(7, "team")),
    ],
)
def test_owners(command: keeping.OfGroup, asked: Request) -> None:
    assert of_group(command, "team")(7) == asked


OF_PEACE: list[tuple[keeping.OfPeace, Request]] = [
    (keeping.Kick("bob", "loud"), model.Kick(7, "bob", "loud")),
    (keeping.Ban("10.0.0.0/8", 60, "loud"), model.Ban(7, "10.0.0.0/8", 60, "loud")),
    (keeping.Unban("bob"), model.Unban(7, "bob")),
    (keeping.Bans(), model.ListBans(7)),
    (keeping.Mute("bob", 60, "loud"), model.Mute(7, "bob", 60, "loud")),
    (keeping.Unmute("bob"), model.Unmute(7, "bob")),
    (keeping.SetRole("bob", "operator"), model.SetRole(7, "bob", "operator")),
    (keeping.Announce("cake"), model.Announce(7, "cake")),
    (keeping.Shutdown(True), model.Shutdown(7, True)),
]


@pytest.mark.parametrize(("command", "asked"), OF_PEACE)
def test_operators(command: keeping.OfPeace, asked: Request) -> None:
    assert of_peace(command)(7) == asked


def test_none_is_forgotten() -> None:
    assert {type(command) for command, _ in OF_PEACE} == set(get_args(keeping.OfPeace))
