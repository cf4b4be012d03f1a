"""Names, groups, edits, receipts, search and operators by commands alone, with real processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import mystic
from tests.support.server_process import ServerProcess, running_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path / "server", "--unlimited", "--operator", "boss") as running:
        yield running


class Home:
    """One person at one device."""

    def __init__(self, folder: Path, server: ServerProcess, name: str) -> None:
        self.folder, self.server, self.name = folder, server, name

    def __call__(self, *words: str, typed: str = "") -> list[str]:
        """What a command that is granted prints."""
        done = mystic(self.folder, self.server.address, self.name, *words, typed=typed)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout.splitlines()

    def refused(self, *words: str, typed: str = "") -> str:
        """What a command that is refused says."""
        done = mystic(self.folder, self.server.address, self.name, *words, typed=typed)
        assert (done.returncode, done.stdout) == (1, ""), (words, done.stdout, done.stderr)
        return done.stderr


@pytest.fixture
def people(server: ServerProcess, tmp_path: Path) -> dict[str, Home]:
    homes = {name: Home(tmp_path / name, server, name) for name in ("ana", "bob", "boss")}
    for home in homes.values():
        home("users")
    return homes


def test_a_name_on_two_devices(people: dict[str, Home], tmp_path: Path, server: ServerProcess) -> None:
    laptop, phone = people["ana"], Home(tmp_path / "phone", server, "ana")
    assert "somebody's" in phone.refused("users")
    laptop("register", typed="correct horse\n")
    assert "password" in phone.refused("login", typed="wrong horse\n").lower()
    phone("login", typed="correct horse\n")
    phone("send", "from the phone")
    devices = laptop("devices")
    assert len(devices) == 2 and "this device" in devices[0]
    laptop("devices", "--remove", devices[1].split()[0])
    assert "somebody's" in phone.refused("send", "stolen")
    laptop("unregister", "--yes")
    phone("send", "free again")


def test_messages_wait_and_are_amended(people: dict[str, Home]) -> None:
    ana, bob = people["ana"], people["bob"]
    bob("chat")
    sent = mystic(ana.folder, ana.server.address, "ana", "send", "--to", "bob", "one")
    assert "away, and will get it later: bob (last seen" in sent.stderr
    ana("send", "--to", "bob", "two")
    assert "nobody" in ana.refused("send", "--to", "nobody", "x").lower()
    one, two = [json.loads(line)["seq"] for line in ana("history", "--to", "bob", "--json")]
    ana("edit", str(one), "one and a half")
    ana("delete", str(two))
    assert "deleted" in ana.refused("edit", str(two), "x")
    assert bob.refused("edit", str(one), "x")
    lines = mystic(bob.folder, bob.server.address, "bob", "tail", "--json", "--count", "1").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["one and a half"]


def test_groups_are_looked_after(people: dict[str, Home]) -> None:
    ana, bob = people["ana"], people["bob"]
    ana("group", "create", "team", "bob")
    bob("send", "--group", "team", "hello team")
    assert bob.refused("group", "rename", "team", "crew")
    ana("group", "rename", "team", "crew")
    ana("group", "handover", "crew", "bob")
    bob("group", "remove", "crew", "ana")
    assert "crew: bob" in bob("groups")
    assert ana.refused("history", "--group", "crew")
    bob("group", "add", "crew", "ana")
    assert any("hello team" in line for line in ana("history", "--group", "crew"))
    bob("group", "delete", "crew")
    assert bob("groups") == []


def test_the_past_is_searched(people: dict[str, Home]) -> None:
    ana, bob = people["ana"], people["bob"]
    ana("send", "the cake is in the kitchen")
    ana("send", "--to", "bob", "secret cake")
    bob("send", "kitchen duty")
    found = [json.loads(line) for line in bob("search", "cake", "--json")]
    assert [hit["text"] for hit in found] == ["the cake is in the kitchen", "secret cake"]
    assert [json.loads(line)["text"] for line in bob("search", "kit", "--from", "bob", "--json")] == ["kitchen duty"]
    assert [json.loads(line)["text"] for line in bob("search", "cake", "--to", "ana", "--json")] == ["secret cake"]
    boss = people["boss"]
    assert [json.loads(line)["text"] for line in boss("search", "cake", "--json")] == ["the cake is in the kitchen"]
    assert "nothing was found" in boss.refused("search", "cake", "--until", "2020-01-01")


def test_operators_keep_the_peace(people: dict[str, Home]) -> None:
    ana, bob, boss = people["ana"], people["bob"], people["boss"]
    assert ana.refused("op", "kick", "bob")
    boss("op", "mute", "bob", "--for", "1h", "--reason", "too loud")
    assert "muted" in bob.refused("send", "hello").lower()
    boss("op", "unmute", "bob")
    bob("send", "hello")
    boss("op", "ban", "bob", "--for", "2d", "--reason", "spam")
    assert "spam" in bob.refused("users")
    assert [line.split()[0] for line in boss("op", "bans")] == ["bob"]
    boss("op", "unban", "bob")
    bob("users")
    boss("op", "role", "ana", "operator")
    ana("op", "announce", "cake at four")
    assert any("cake at four" in line for line in bob("history"))
    ana("op", "shutdown")
    ana("op", "shutdown", "--cancel")
    bob("users")


def test_owners_and_operators_in_the_line_mode(people: dict[str, Home]) -> None:
    boss, bob = people["boss"], people["bob"]
    bob("group", "create", "team", "boss")
    lines = "/join team\nhello team\n/edit hello all\n/whoread\n/add nobody\n/leave\n/mute bob 1h\n/bans\n"
    said = "\n".join(boss("chat", typed=lines))
    assert "Your last message was changed." in said
    assert "Read by 0 of 1." in said
    assert "Only the owner of team can do that" in said
    assert "0 bans:" in said
    assert [json.loads(line)["text"] for line in bob("history", "--group", "team", "--json")] == ["hello all"]
    assert "muted" in bob.refused("send", "hello").lower()
