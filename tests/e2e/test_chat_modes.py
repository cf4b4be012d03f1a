"""The modes client in a real server's room: what its person can do in each mode, and what must never end it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mysticproto.model import Direct, Message, ToEveryone, ToGroup, ToUsers
from tests.support.native_peer import NativePeer
from tests.support.old_chat_modes import OldModes
from tests.support.own_ports import own_ports
from tests.support.server_process import ServerProcess, running_server

Address = tuple[str, int]
TIME = r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d"
LEAVE_HELP = "Disconnect from the app using: '/leave'"
COMMANDS = "'/kick [username]' '/add [username]' '/exit'"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path, "--listen", "chat_modes=0", "--unlimited") as running:
        yield running


@pytest.fixture
def address(server: ServerProcess) -> Address:
    return own_ports(server, 1)[0]


@pytest.fixture
def ann(address: Address) -> Iterator[OldModes]:
    with OldModes(address) as client:
        join(client, "ann")
        yield client


@pytest.fixture
def bob(address: Address, ann: OldModes) -> Iterator[OldModes]:
    with OldModes(address) as client:
        join(client, "bob")
        ann.wait_for("[SERVER] bob has joined the server.")
        yield client


@pytest.fixture
def eve(server: ServerProcess) -> Iterator[NativePeer]:
    """Somebody at Mystic's own client."""
    with NativePeer((server.host, server.port)) as peer:
        peer.log_in("eve")
        yield peer


def join(client: OldModes, name: str) -> None:
    client.type(name)
    client.wait_for(f"[SERVER] {name} has joined the server.")
    client.wait_for(LEAVE_HELP)


def make_group(client: OldModes, name: str, members: str) -> None:
    client.say("/group", "Would you like to create a new group? y/n")
    client.say("y", "[GROUP] Group name:")
    client.say(name, "Add users to group using format '[username]~[username]~...'")
    client.say(members, f"You have been added to group {name}!")
    client.wait_for(COMMANDS)


def is_told(printed: str, pattern: str) -> bool:
    return re.search(pattern, printed) is not None


# Coming and going.


def test_joining_and_leaving(address: Address, ann: OldModes, bob: OldModes) -> None:
    bob.type("/leave")
    bob.wait_until_left()
    assert bob.is_closed()
    ann.wait_for("[SERVER] bob has left the server.")


def test_a_name_in_use_is_told_and_left_in_peace(address: Address, ann: OldModes) -> None:
    with OldModes(address) as other:
        other.type("ann")
        assert "[SERVER] The name ann is in use." in other.wait_until_left()
        assert other.is_closed()
    assert is_told(ann.say("still here", LEAVE_HELP), rf"\[GENERAL\] \[{TIME}\] ann: still here\n")


@pytest.mark.parametrize("name", ["server", "x" * 40, "a" * 3000])
def test_what_can_be_nobodys_name(address: Address, name: str) -> None:
    with OldModes(address) as client:
        client.type(name)
        if len(name) > 2048:
            client.wait_for("at most 2048 bytes")
            join(client, "ann")
        else:
            client.wait_until_left()
            assert client.is_closed()


def test_a_lost_client_has_left(address: Address, ann: OldModes, bob: OldModes) -> None:
    bob.reset()
    ann.wait_for("[SERVER] bob has left the server.")
    assert is_told(ann.say("gone?", LEAVE_HELP), rf"\[\*sent\*\]\n\[bob offline. Last online {TIME}\]\n")


def test_silence_and_a_bare_connection_are_nobody(address: Address, ann: OldModes) -> None:
    with OldModes(address):
        pass
    with OldModes(address) as client:
        client.type("   ")
        join(client, "carl")
    assert "[SERVER]  has" not in ann.wait_for("[SERVER] carl has joined the server.")


def test_the_server_stops(server: ServerProcess, ann: OldModes) -> None:
    os.kill(server.pid, signal.SIGTERM)
    assert "[SERVER] The server is stopping." in ann.wait_until_left()
    assert ann.is_closed()


# The general mode.


def test_general_text_comes_back_with_its_receipt(ann: OldModes, bob: OldModes) -> None:
    printed = ann.say("hello, all", LEAVE_HELP)
    assert is_told(
        printed, rf"\[GENERAL\] \[{TIME}\] ann: hello, all\n\[\*sent\*\]\n\[seen by \['bob'\]\]\n\[GENERAL\] Send"
    )
    bob.wait_for("ann: hello, all\n")


def test_general_text_is_kept_for_who_is_away(address: Address, ann: OldModes, bob: OldModes) -> None:
    bob.type("/leave")
    bob.wait_until_left()
    ann.wait_for("bob has left")
    for text in ("one", "two"):
        assert is_told(ann.say(text, LEAVE_HELP), rf"\[bob offline. Last online {TIME}\]")
    with OldModes(address) as back:
        join(back, "bob")
        kept = back.wait_for("ann: two \n")
        assert is_told(kept, rf"\[GENERAL\] \[{TIME}\] ann: one \n\[GENERAL\] \[{TIME}\] ann: two \n")
        ann.wait_for("[seen by bob]")
        back.type("/leave")
        back.wait_until_left()
    with OldModes(address) as again:
        join(again, "bob")
        ann.say("three", LEAVE_HELP)
        assert "ann: one" not in again.wait_for("ann: three\n")


# The direct mode.


def test_direct_messages(ann: OldModes, bob: OldModes) -> None:
    ann.say("/direct", "'/exit' to return to general")
    ann.say("bob~psst ~ you", "[*sent*]\n[seen by bob]\n")
    assert is_told(bob.wait_for("psst ~ you\n"), rf"\[DIRECT\] \[{TIME}\] ann sent you: psst ~ you\n")
    ann.say("psst", "[DIRECT] Incorrect format, direct message not sent")
    assert "[*sent*]" not in ann.say("nobody~psst", "[DIRECT] Not sent: Nobody here is called nobody.")
    ann.say("ann~psst", "[DIRECT] Not sent: You can't send a message to yourself.")
    ann.say("/exit", LEAVE_HELP)


def test_direct_messages_wait_for_who_is_away(address: Address, ann: OldModes, bob: OldModes) -> None:
    bob.close()
    ann.wait_for("bob has left")
    ann.say("/direct", "'/exit' to return to general")
    assert is_told(ann.say("bob~later", "]\n"), r"\[\*sent\*\]\n")
    assert is_told(ann.screen.printed, rf"\[bob offline. Last online {TIME}\]\n")
    with OldModes(address) as back:
        join(back, "bob")
        back.wait_for("ann sent you: later \n")
        ann.wait_for("[seen by bob]\n")


def test_what_waits_outlives_the_server(tmp_path: Path) -> None:
    words = ("--listen", "chat_modes=0")
    with running_server(tmp_path, *words) as server:
        with OldModes(own_ports(server, 1)[0]) as ann, OldModes(own_ports(server, 1)[0]) as bob:
            join(ann, "ann")
            join(bob, "bob")
            bob.close()
            ann.wait_for("bob has left")
            ann.say("/direct", "'/exit' to return to general")
            ann.say("bob~later", "[bob offline.")
    with running_server(tmp_path, *words) as server, OldModes(own_ports(server, 1)[0]) as bob:
        join(bob, "bob")
        bob.wait_for("ann sent you: later \n")


# The group mode.


def test_groups(address: Address, ann: OldModes, bob: OldModes) -> None:
    make_group(ann, "crew", "bob~nobody")
    assert "Not added, since nobody knows them: nobody" in ann.screen.printed
    assert "[*sent*]\n[seen by ['bob']]\n[GROUP] You are a member of groups: ['crew']\n" in ann.screen.printed
    bob.wait_for("[GROUP] You have been added to group crew!")
    printed = ann.say("crew~hi ~ there", COMMANDS)
    assert is_told(
        printed, rf"\[GROUP\] \[{TIME}\] ann sent to group crew: hi ~ there\n\[\*sent\*\]\n\[seen by \['bob'\]\]\n"
    )
    bob.wait_for("ann sent to group crew: hi ~ there\n")
    bob.say("/group", "[GROUP] You are a member of groups: ['crew']")
    bob.say("n", COMMANDS)
    bob.say("crew~hello", COMMANDS)
    ann.wait_for("bob sent to group crew: hello")
    bob.say("nocrew~hello", "[GROUP] Not sent: There is no group nocrew.")
    bob.say("/add ann", COMMANDS)
    bob.say("/exit", LEAVE_HELP)


def test_a_group_is_not_made_twice_and_strangers_cannot_write_to_it(ann: OldModes, bob: OldModes) -> None:
    make_group(ann, "crew", "ann")
    bob.say("/group", "[GROUP] You are a member of groups: []")
    bob.say("y", "Group name:")
    bob.say("crew", "Add users")
    bob.say("ann", "[GROUP] There is a group crew already.")
    bob.wait_for(COMMANDS)
    bob.say("crew~hi", "[GROUP] Not sent: You are not in crew.")


def test_the_owner_adds_and_removes(ann: OldModes, bob: OldModes) -> None:
    make_group(ann, "crew", "ann")
    ann.say("/add bob", "[GROUP] bob has been added to group crew!")
    bob.wait_for("[GROUP] bob has been added to group crew!")
    ann.say("/add bob", "[GROUP] User already in group")
    ann.say("/add nobody", "[GROUP] Nobody is called nobody.")
    ann.say("/kick bob", "[GROUP] bob has been removed from group crew!")
    bob.wait_for("[GROUP] You have been removed from group crew!")
    bob.say("/group", "[GROUP] You are a member of groups: []")
    bob.say("n", COMMANDS)
    bob.say("crew~hi", "[GROUP] Not sent: You are not in crew.")
    bob.say("/kick ann", COMMANDS)


def test_group_messages_wait_for_members_who_are_away(address: Address, ann: OldModes, bob: OldModes) -> None:
    make_group(ann, "crew", "bob")
    bob.close()
    ann.wait_for("bob has left")
    assert is_told(ann.say("crew~later", "[seen by []]"), rf"\[bob offline. Last online {TIME}\]\n")
    with OldModes(address) as back:
        join(back, "bob")
        back.wait_for("ann sent to group crew: later \n")
        ann.wait_for("[seen by bob]")
        back.say("/group", "[GROUP] You are a member of groups: ['crew']")


# With others.


def test_with_somebody_at_mystics_own_client(ann: OldModes, eve: NativePeer) -> None:
    ann.wait_for("[SERVER] eve has joined the server.")
    eve.post("hello from afar")
    ann.wait_for("eve: hello from afar\n")
    eve.post("psst", ToUsers(("ann",)))
    assert is_told(ann.wait_for("psst\n"), rf"\[DIRECT\] \[{TIME}\] eve sent you: psst")
    eve.post("hear, hear", ToEveryone())
    assert is_told(ann.wait_for("hear, hear\n"), rf"\[BROADCAST\] \[{TIME}\] eve: hear, hear")
    ann.say("hello", LEAVE_HELP)
    eve.hear("hello")
    ann.say("/direct", "'/exit' to return to general")
    ann.say("eve~psst", "[seen by eve]")
    assert isinstance(
        eve.wait_for(Message, lambda said: said.author.name == "ann" and said.text == "psst").conversation, Direct
    )
    ann.say("/exit", LEAVE_HELP)
    make_group(ann, "crew", "eve")
    eve.post("in the group", ToGroup("crew"))
    ann.wait_for("eve sent to group crew: in the group\n")


@pytest.mark.parametrize("text", ["/leave", " /leave ", "hi\n/leave", "/leave\n/leave", "/direct", "a~b~c", "/exit"])
def test_no_text_of_others_is_a_command(ann: OldModes, eve: NativePeer, text: str) -> None:
    eve.post(text)
    eve.post("the end")
    ann.wait_for("eve: the end\n")
    ann.say("still in the general mode", "ann: still in the general mode\n")


def test_long_characters_and_a_flood_kill_nobody(ann: OldModes, eve: NativePeer) -> None:
    for number in range(20):
        eve.post("😀€é" * 300 + f" {number}")
        ann.wait_for(f"é {number}\n")  # a client that lags reads 2,048 bytes, wherever that is in a character
    for number in range(200):
        eve.post(f"plain {number}")
    ann.wait_for("eve: plain 199\n")
    assert ann.screen.printed.count("😀€é" * 300) == 20


def test_long_lines_are_refused_and_nothing_else_happens(ann: OldModes, bob: OldModes) -> None:
    ann.say("x" * 3000, "[SERVER] Not sent: a message has at most 2048 bytes.")
    ann.say("short", LEAVE_HELP)
    assert "x" * 100 not in bob.wait_for("ann: short\n")
