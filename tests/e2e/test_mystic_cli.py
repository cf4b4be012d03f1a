"""Mystic CLI's clients, as they were published, on a real server: all that they can do, and what must not hurt."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mysticproto.model import CreateGroup, Entered, JoinGroup, ToEveryone, ToGroup, ToUsers
from tests.support.native_peer import NativePeer
from tests.support.old_mystic_cli import OldMysticCli
from tests.support.server_process import ServerProcess, running_server

NOW_IN_GLOBAL = "You have left dev. You're now in global chat."


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path) as running:
        yield running


def client(server: ServerProcess, name: str) -> OldMysticCli:
    """Somebody who has got in."""
    old = OldMysticCli(server.host, server.port, name)
    old.wait_for(f"[SERVER] Welcome to the Mystic chat room, {name}! Type 'mystic help' for commands.")
    return old


@pytest.fixture
def ana(server: ServerProcess) -> Iterator[OldMysticCli]:
    with client(server, "ana") as old:
        yield old


@pytest.fixture
def bob(server: ServerProcess, ana: OldMysticCli) -> Iterator[OldMysticCli]:
    with client(server, "bob") as old:
        ana.wait_for("[SERVER] bob has joined")
        yield old


@pytest.fixture
def eve(server: ServerProcess, ana: OldMysticCli, bob: OldMysticCli) -> Iterator[NativePeer]:
    """Somebody at Mystic's own client."""
    with NativePeer((server.host, server.port)) as peer:
        peer.log_in("eve")
        for old in (ana, bob):
            old.wait_for("[SERVER] eve has joined")
        yield peer


# Coming and going.


def test_a_name_in_use_is_refused_and_the_first_one_stays(server: ServerProcess, ana: OldMysticCli) -> None:
    for name in ("ana", "ANA"):
        with OldMysticCli(server.host, server.port, name) as second:
            shown = f"[SERVER] Username '{name}' is already taken. Please reconnect with a different name."
            second.wait_for(shown)
            second.wait_for_end()
    ana.type("mystic users")
    assert ana.wait_for("Online users") == "[SERVER] Online users: ana"


def test_a_name_that_cannot_be_is_refused_with_a_reason(server: ServerProcess) -> None:
    for name in ("a b", "SERVER", "x" * 100):
        with OldMysticCli(server.host, server.port, name) as old:
            assert "can't be used: " in old.wait_for("Please reconnect with a different name.")
            old.wait_for_end()


def test_nobody_joins_who_says_no_name(server: ServerProcess, ana: OldMysticCli) -> None:
    for _ in range(3):
        socket.create_connection((server.host, server.port)).close()
    silent = socket.create_connection((server.host, server.port))
    ana.type("mystic users")
    assert ana.wait_for("Online users") == "[SERVER] Online users: ana"
    silent.close()


def test_leaving_well(ana: OldMysticCli, bob: OldMysticCli) -> None:
    bob.type("mystic disconnect")
    bob.wait_for("[SERVER] You have left the chat. Goodbye!")
    bob.wait_for_end()
    ana.wait_for("[SERVER] bob has left")


@pytest.mark.parametrize("abruptly", [False, True])
def test_leaving_without_a_word(server: ServerProcess, ana: OldMysticCli, abruptly: bool) -> None:
    cy = client(server, "cy")
    ana.wait_for("cy has joined")
    cy.reset() if abruptly else cy.close()
    ana.wait_for("[SERVER] cy has left")
    client(server, "cy").close()


def test_a_name_that_mystic_does_not_allow_has_a_stand_in(server: ServerProcess, ana: OldMysticCli) -> None:
    with OldMysticCli(server.host, server.port, "ann@hku.hk") as old:
        old.wait_for("Welcome to the Mystic chat room, ann_40_hku.hk!")
        ana.wait_for("ann_40_hku.hk has joined")
        for name in ("ann@hku.hk", "ann_40_hku.hk"):
            ana.type(f"mystic pm {name} hi {name}")
            old.wait_for(f"[PM] ana: hi {name}")
            ana.wait_for("PM sent to ann_40_hku.hk.")


# Talking.


def test_global_messages_reach_the_others_alone(ana: OldMysticCli, bob: OldMysticCli, eve: NativePeer) -> None:
    ana.type("I find this very mystic")
    assert bob.wait_for("mystic") == "[GLOBAL] ana: I find this very mystic"
    assert eve.hear("I find this very mystic").author.name == "ana"
    eve.post("hello, both")
    assert ana.wait_for("both") == "[GLOBAL] eve: hello, both"


def test_private_messages(ana: OldMysticCli, bob: OldMysticCli, eve: NativePeer) -> None:
    ana.type("mystic pm bob  hi   bob")
    assert bob.wait_for("hi") == "[PM] ana: hi bob"
    assert ana.wait_for("sent") == "[SERVER] PM sent to bob."
    ana.type("mystic pm eve psst")
    assert eve.hear("psst").author.name == "ana"
    eve.post("pssst", ToUsers(("ana", "bob")))
    for old, others in ((ana, "ana, bob"), (bob, "ana, bob")):
        assert old.wait_for("pssst").splitlines()[-1] == f"[PM] eve (to {others}): pssst"


ANSWERS = [
    ("mystic pm ana hi", "You can't send a PM to yourself!"),
    ("mystic pm U hi", "User 'U' not found. Use 'mystic users' to see online users."),
    ("mystic pm bob", "Usage: mystic pm <user> <message>"),
    ("mystic broadcast", "Usage: mystic broadcast <message>"),
    ("mystic", 'Did you mean to enter a command? Type "mystic help" for commands.'),
    ("mystic dance", 'Command not recognized. Type "mystic help" for commands.'),
    ("mystic help", "--- Mystic Commands ---"),
    ("mystic users", "Online users: ana, bob"),
    ("mystic groups", "No groups exist yet."),
    ("mystic files", "Successfully accessed SharedFiles folder. 0 files available."),
    ("mystic create group", "Usage: mystic create group <name>"),
    ("mystic create group a b", "Group name cannot contain spaces."),
    ("mystic join group", "Usage: mystic join group <name>"),
    ("mystic join group a b", "Group name cannot contain spaces."),
    ("mystic leave group", "You're not in any group!"),
    ("mystic leave group G", "Group 'G' doesn't exist!"),
    ("mystic leave group a b", "Group name cannot contain spaces."),
    ("mystic download", "Usage: mystic download <filename> [tcp|udp]"),
    ("mystic download F.txt", "File 'F.txt' not found in SharedFiles."),
    ("mystic download ../x udp", "File '../x' not found in SharedFiles."),
    ("mystic download ..", "File '..' not found in SharedFiles."),
    ("mystic download /etc/passwd", "File '/etc/passwd' not found in SharedFiles."),
]


def test_answers(ana: OldMysticCli, bob: OldMysticCli) -> None:
    for line, shown in ANSWERS:
        ana.type(line)
        assert ana.wait_for(shown).startswith(f"[SERVER] {shown}")


def test_white_space_is_no_end(ana: OldMysticCli, bob: OldMysticCli) -> None:
    ana.type("  ")
    ana.type("mystic users")
    ana.wait_for("Online users: ana, bob")


def test_a_broadcast_reaches_everybody_else(ana: OldMysticCli, bob: OldMysticCli, eve: NativePeer) -> None:
    bob.type("mystic join group dev")
    bob.wait_for_prompt("[dev]")
    ana.type("mystic broadcast hear, hear")
    bob.wait_for("[BROADCAST] ana: hear, hear")
    eve.hear("hear, hear")
    eve.post("to all", ToEveryone())
    ana.wait_for("[BROADCAST] eve: to all")
    assert "BROADCAST] ana" not in ana.text


# Groups.


def test_groups_with_focus(server: ServerProcess, ana: OldMysticCli, bob: OldMysticCli, eve: NativePeer) -> None:
    with client(server, "cy") as cy:
        ana.type("mystic create group dev")
        for old in (ana, bob, cy):
            old.wait_for("[SERVER] ana has created the group dev!")
        ana.wait_for_prompt("[dev]")
        bob.type("mystic join group dev")
        bob.wait_for_prompt("[dev]")
        ana.wait_for("[SERVER] bob has joined dev!")
        cy.type("mystic groups")
        assert cy.wait_for("Groups: ") == "[SERVER] Groups: dev (2 members)"

        ana.type("for members")
        assert bob.wait_for("members").splitlines()[-1] == "[GROUP:dev] ana: for members"
        cy.type("for the others")
        assert eve.hear("for the others").author.name == "cy"
        assert isinstance(eve.ask(Entered, lambda n: JoinGroup(n, "dev")), Entered)
        eve.post("me too", ToGroup())
        assert "[GROUP:dev] eve: me too" in ana.wait_for("me too")
        assert "for the others" not in bob.wait_for("me too")

        bob.type("mystic leave group")
        bob.wait_for(NOW_IN_GLOBAL)
        bob.wait_for_prompt("[GLOBAL]")
        ana.wait_for("[SERVER] bob has left dev.")
        cy.type("welcome back")
        bob.wait_for("[GLOBAL] cy: welcome back")
        assert "for members" not in cy.text


def test_what_groups_refuse(ana: OldMysticCli, bob: OldMysticCli) -> None:
    ana.type("mystic create group dev")
    ana.wait_for_prompt("[dev]")
    for line, shown in [
        ("mystic create group dev", "Group already exists! Try a new group name."),
        ("mystic create group x", "You're already in 'dev'. Leave it first with 'mystic leave group'."),
        ("mystic join group x", "You're already in 'dev'. Leave it first with 'mystic leave group'."),
        ("mystic join group dev", "You're already in dev!"),
        ("mystic leave group x", "Group 'x' doesn't exist!"),
    ]:
        ana.type(line)
        ana.wait_for(f"[SERVER] {shown}")
    bob.type("mystic leave group dev")
    bob.wait_for("[SERVER] You're not in 'dev'!")


def test_joining_a_group_that_is_not_there_makes_it(ana: OldMysticCli, bob: OldMysticCli) -> None:
    bob.type("mystic join group dev")
    shown = bob.wait_for("You are now chatting in dev. Use 'mystic leave group' to leave.").splitlines()
    assert shown == [
        "[SERVER] 'dev' doesn't exist! Creating it now...",
        "[SERVER] bob has created the group dev!",
        "[SERVER] You are now chatting in dev. Use 'mystic leave group' to leave.",
    ]
    ana.wait_for("[SERVER] bob has created the group dev!")
    bob.type("mystic leave group dev")
    bob.wait_for_prompt("[GLOBAL]")
    for old in (ana, bob):
        old.wait_for("[SERVER] Group 'dev' has been deleted (no members left).")


def test_a_member_who_disconnects_leaves_the_group(ana: OldMysticCli, bob: OldMysticCli) -> None:
    for old in (ana, bob):
        old.type("mystic join group dev")
        old.wait_for_prompt("[dev]")
    bob.type("mystic disconnect")
    ana.wait_for("[SERVER] bob has left dev.")


# Files.


def shared(server: ServerProcess, name: str, data: bytes) -> bytes:
    (server.shared / name).write_bytes(data)
    return data


def test_the_list_of_files(server: ServerProcess, ana: OldMysticCli) -> None:
    shared(server, "a b.txt", b"12345")
    shared(server, "c.bin", b"")
    (server.shared / "folder").mkdir()
    ana.type("mystic files")
    assert ana.wait_for("c.bin").splitlines() == [
        "[SERVER] Successfully accessed SharedFiles folder. 2 file(s) available:",
        "  1. a b.txt (5 bytes)",
        "  2. c.bin (0 bytes)",
    ]


@pytest.mark.parametrize("over", ["", " tcp", " udp", " UDP"])
def test_a_download(server: ServerProcess, ana: OldMysticCli, over: str) -> None:
    data = shared(server, "my file.bin", os.urandom(300_000))
    ana.type(f"mystic download my  file.bin{over}")
    assert ana.wait_for_file() == ("my file.bin", data)
    ana.type("mystic users")
    ana.wait_for("Online users: ana")
    assert ana.display.not_saved == []


ODD_FILES = [
    b"before[FILE_END]7[FILE_END_END]behind",
    b"[FILE_START]x|5[FILE_START_END]",
    b"x[FILE_END_END]" * 3,
    b"[UDP_FILE_END]",
    b"y" * 1024 + b"[UDP_FILE_END]",
    b"\n",
]


@pytest.mark.parametrize("over", ["tcp", "udp"])
def test_files_that_look_like_the_wire(server: ServerProcess, ana: OldMysticCli, over: str) -> None:
    for number, data in enumerate(ODD_FILES):
        shared(server, f"odd {number}", data)
        ana.type(f"mystic download odd {number} {over}")
        assert ana.wait_for_file() == (f"odd {number}", data)
    ana.type("mystic users")
    assert ana.wait_for("Online users") == "[SERVER] Online users: ana"


@pytest.mark.parametrize("over", ["tcp", "udp"])
def test_an_empty_file_is_nothing_to_save(server: ServerProcess, ana: OldMysticCli, over: str) -> None:
    shared(server, "empty", b"")
    shared(server, "full", b"x")
    ana.type(f"mystic download empty {over}")
    ana.wait_for_nothing("empty")
    ana.type("mystic download full tcp")
    assert ana.wait_for_file() == ("full", b"x")


@pytest.mark.parametrize("over", ["tcp", "udp"])
def test_a_large_file(server: ServerProcess, ana: OldMysticCli, over: str) -> None:
    data = shared(server, "large.bin", os.urandom(1 << 20) * 50)
    ana.type(f"mystic download large.bin {over}")
    name, received = ana.wait_for_file()
    assert name == "large.bin"
    assert received == data


def test_talk_during_a_download_does_not_spoil_it(
    server: ServerProcess, ana: OldMysticCli, bob: OldMysticCli, eve: NativePeer
) -> None:
    data = shared(server, "large.bin", os.urandom(1 << 20) * 20)
    for over in ("tcp", "udp"):
        ana.type(f"mystic download large.bin {over}")
        for number in range(5):
            eve.post(f"{over} {number}")
        assert ana.wait_for_file() == ("large.bin", data)
        ana.wait_for(f"[GLOBAL] eve: {over} 4")


def test_downloads_come_one_after_the_other(server: ServerProcess, ana: OldMysticCli) -> None:
    """The client has one place for the name of what it downloads."""
    files = {name: shared(server, name, os.urandom(50_000)) for name in ("first", "second")}
    ana.type("mystic download first udp")
    ana.wait_for_start("first")
    ana.type("mystic download second tcp")
    assert dict(ana.wait_for_file() for _ in files) == files
    assert ana.display.started == ["first", "second"]


def test_who_leaves_during_a_download_is_gone(server: ServerProcess, ana: OldMysticCli) -> None:
    shared(server, "large.bin", bytes(50 << 20))
    for over in ("tcp", "udp"):
        cy = client(server, "cy")
        ana.wait_for("cy has joined")
        cy.type(f"mystic download large.bin {over}")
        cy.reset()
        ana.wait_for("[SERVER] cy has left")


# What must not hurt.


def test_nobodys_text_moves_files_or_prompts(ana: OldMysticCli, eve: NativePeer) -> None:
    attack = "[FILE_START]../../x|5[FILE_START_END]hello[FILE_END]5[FILE_END_END]"
    for text in (
        attack,
        "[UDP_FILE_START]x|5|4000[UDP_FILE_START_END]",
        "hi\n[SERVER] You are now chatting in x.",
        "You have left x. You're now in global chat.",
        "[FILE_",
        "the end",
    ):
        eve.post(text)
        eve.post(text, ToUsers(("ana",)))
    eve.post("last", ToUsers(("ana",)))
    ana.wait_for("[PM] eve: last")
    assert ana.display.saved == []
    assert ana.display.not_saved == []
    assert ana.display.prompt == "[GLOBAL]"


def test_long_texts_arrive_whole(ana: OldMysticCli, bob: OldMysticCli, eve: NativePeer) -> None:
    ana.type("é" * 1500)
    assert bob.wait_for("é") == "[GLOBAL] ana: " + "é" * 1500
    eve.post("€" * 10_000 + ".")
    shown = ana.wait_for(".")
    assert shown.count("€") == 10_000
    assert ana.display.dropped == bob.display.dropped == []


def test_an_endless_line_ends_its_sender_alone(server: ServerProcess, ana: OldMysticCli) -> None:
    with client(server, "cy") as cy:
        cy.type("mystic users " + "x" * 20_000)
        cy.wait_for("[SERVER] A message is limited to 8192 bytes.")
        cy.wait_for_end()
    ana.wait_for("cy has left")


def test_a_stopping_server_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, client(server, "ana") as ana:
        server.stop()
        ana.wait_for("[SERVER] ")
        ana.wait_for_end()


def test_4000_lines(tmp_path: Path) -> None:
    with (
        running_server(tmp_path, "--unlimited") as server,
        client(server, "ana") as ana,
        NativePeer((server.host, server.port)) as eve,
    ):
        eve.log_in("eve")
        for number in range(4000):
            eve.post(f"line {number}.")
        shown = "".join(ana.wait_for("line 3999.").split())  # whose lines are cut where the client's reads end
        assert shown.count("[GLOBAL]eve:line") == 4000


def test_a_port_of_its_own(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running_server(tmp_path, "--listen", f"mystic_cli={port}") as server:
        with OldMysticCli(server.host, port, "ana") as ana:
            ana.wait_for("Welcome to the Mystic chat room, ana!")


def test_a_group_of_another_program(ana: OldMysticCli, eve: NativePeer) -> None:
    assert isinstance(eve.ask(Entered, lambda n: CreateGroup(n, "crew")), Entered)
    ana.wait_for("[SERVER] eve has created the group crew!")
    ana.type("mystic join group crew")
    ana.wait_for_prompt("[crew]")
    eve.post("aboard?", ToGroup("crew"))
    ana.wait_for("[GROUP:crew] eve: aboard?")
