"""The UNICAST:: client in a real server's room: everything that it can ask for, and how it is kept from spinning."""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from mysticproto.model import Broadcast, CreateGroup, Direct, Entered, ToEveryone, ToGroup, ToUsers
from tests.support.native_peer import NativePeer
from tests.support.old_unicast_base64 import END, Base64Screen, OldBase64
from tests.support.own_ports import own_ports
from tests.support.server_process import ServerProcess, running_server

Address = tuple[str, int]
FILES = {
    "empty.txt": b"",
    "small.txt": b"hello\n",
    "noext": b"without an extension",
    "a.b.txt": b"two dots",
    "Зоя.txt": "не ASCII".encode(),
    "docs/markers.bin": b"<END>EXIT: bye<END>[FILE_END]}{/leave" * 100,
    "docs/old/deep.txt": b"deep",
}
EXIT = "EXIT: you have disconnected from the server"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    for path, contents in FILES.items():
        (tmp_path / "shared" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shared" / path).write_bytes(contents)
    (tmp_path / "shared" / "nothing").mkdir()
    with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def address(server: ServerProcess) -> Address:
    return server.host, server.port


@pytest.fixture
def ana(address: Address) -> Iterator[OldBase64]:
    with OldBase64(address, "ana") as client:
        client.wait_for("SERVER: welcome to the server")
        yield client


@pytest.fixture
def bob(address: Address, ana: OldBase64) -> Iterator[OldBase64]:
    with OldBase64(address, "bob") as client:
        client.wait_for("SERVER: welcome to the server")
        ana.wait_for("SERVER: bob has joined the server")
        yield client


@pytest.fixture
def eve(address: Address) -> Iterator[NativePeer]:
    """Somebody at Mystic's own client."""
    with NativePeer(address) as peer:
        peer.log_in("eve")
        yield peer


def test_who_comes_is_welcomed_and_only_the_others_are_told(ana: OldBase64, bob: OldBase64) -> None:
    ana.say("BROADCAST::hi")
    bob.wait_for("ana: hi")
    assert bob.screen.shown == ["SERVER: welcome to the server", "ana: hi"]
    assert ana.screen.shown == ["SERVER: welcome to the server", "SERVER: bob has joined the server"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ana", "username already in use"),
        ("ANA", "username already in use"),
        ("SERVER", "username invalid"),
        ("USAGE", "username invalid"),
        ("EXIT", "username invalid"),
        ("DOWNLOAD", "username invalid"),
        ("", "username invalid"),
        ("a:b", "username invalid"),
    ],
)
def test_a_name_that_can_not_be_had(address: Address, ana: OldBase64, name: str, words: str) -> None:
    with OldBase64(address, name) as other:
        other.wait_for_exit()
        assert other.screen.shown == [f"SERVER: {words}", EXIT]


def test_a_second_name_on_one_connection(ana: OldBase64) -> None:
    ana.say("USERNAME::other")
    ana.wait_for("USAGE: you already have a username")


def test_unicasts_reach_one_and_are_not_echoed(ana: OldBase64, bob: OldBase64, eve: NativePeer) -> None:
    ana.say("UNICAST::bob:psst: <END>")
    ana.say("UNICAST::eve:hi eve")
    bob.wait_for("ana: psst: <END>")
    assert isinstance(eve.hear("hi eve").conversation, Direct)
    assert "psst: <END>" not in eve.texts()
    for request, words in [
        ("UNICAST::ana:me", "[recipient] cannot be you"),
        ("UNICAST::nobody:x", "[recipient] does not exist"),
        ("UNICAST::bob", "[request] invalid"),
        ("HELLO::x", "request invalid"),
        ("nonsense", "request invalid"),
    ]:
        ana.say(request)
        ana.wait_for(f"USAGE: {words}")


def test_broadcasts_reach_all_others(ana: OldBase64, bob: OldBase64, eve: NativePeer) -> None:
    ana.say("BROADCAST::hear:: all")
    bob.wait_for("ana: hear:: all")
    assert isinstance(eve.hear("hear:: all").conversation, Broadcast)
    assert "ana: hear:: all" not in ana.screen.shown


def test_what_is_said_elsewhere_is_heard(ana: OldBase64, eve: NativePeer) -> None:
    eve.post("to all")
    eve.post("to you", ToUsers(("ana",)))
    eve.post("to everyone", ToEveryone())
    entered = eve.ask(Entered, lambda n: CreateGroup(n, "dev", focus=False, kept=True, members=("ana",)))
    assert isinstance(entered, Entered)
    eve.post("to the group", ToGroup("dev"))
    ana.wait_for("eve: to all", "eve: to you", "eve: to everyone", "eve: [dev] to the group")


def test_folders_are_listed(ana: OldBase64) -> None:
    ana.say("ACCESS::")
    ana.wait(lambda: len(ana.screen.shown) == 2)
    head, *lines = ana.screen.shown[1].split("\n")
    assert head == "SERVER: : 7 files"
    assert sorted(lines) == sorted(
        ["FOLDER: docs", "FOLDER: nothing"]
        + [f"FILE: {name} ({len(contents)} bytes)" for name, contents in FILES.items() if "/" not in name]
    )
    ana.say("ACCESS::docs")
    ana.wait_for("SERVER: docs: 2 files\nFOLDER: old\nFILE: markers.bin (3700 bytes)")
    ana.say("ACCESS::docs/old")
    ana.wait_for("SERVER: docs/old: 1 files\nFILE: deep.txt (4 bytes)")
    ana.say("ACCESS::nothing")
    ana.wait_for("SERVER: nothing: 0 files")


@pytest.mark.parametrize("path", ["missing", "small.txt", "..", "../data", "docs/../..", "docs\\old"])
def test_what_is_no_folder(ana: OldBase64, path: str) -> None:
    ana.say(f"ACCESS::{path}")
    ana.wait_for(f"USAGE: failed to access {path}")


@pytest.mark.parametrize("path", list(FILES))
def test_downloads_are_byte_exact(ana: OldBase64, path: str) -> None:
    ana.say(f"DOWNLOAD::{path}")
    ana.say("ACCESS::nothing")
    name, contents = ana.wait_for_file()
    assert contents == FILES[path]
    assert name == {"noext": "noext.", "a.b.txt": "a_b.txt"}.get(path, path.rpartition("/")[2])
    ana.wait_for("SERVER: nothing: 0 files")


@pytest.mark.parametrize("path", ["missing.txt", "docs", "../data/server.id", "docs/missing.txt"])
def test_what_is_no_file(ana: OldBase64, path: str) -> None:
    ana.say(f"DOWNLOAD::{path}")
    ana.wait_for(f"USAGE: {path} is not a file")


def test_a_large_download_with_chat_meanwhile(server: ServerProcess, ana: OldBase64, bob: OldBase64) -> None:
    contents = random.Random(1).randbytes(50 * 1024 * 1024)
    (server.shared / "large.bin").write_bytes(contents)
    ana.say("DOWNLOAD::large.bin")
    bob.say("BROADCAST::are you there")
    bob.say("DOWNLOAD::small.txt")
    assert bob.wait_for_file() == ("small.txt", FILES["small.txt"])
    assert ana.wait_for_file() == ("large.bin", contents)
    ana.wait_for("bob: are you there")


def test_leaving(ana: OldBase64, bob: OldBase64, eve: NativePeer) -> None:
    bob.say("EXIT::")
    bob.wait_for_exit()
    assert bob.screen.shown[-1] == EXIT
    ana.wait_for("SERVER: bob has left the server")
    eve.close()
    ana.wait_for("SERVER: eve has left the server")


def test_it_ends_with_one_exit_however_often_it_is_asked_for(address: Address) -> None:
    screen = Base64Screen()
    with NativePeer(address, greet=False) as peer:
        peer.raw(b64encode(b"USERNAME::SERVER") + END + (b64encode(b"EXIT::") + END) * 3)
        screen.hear(peer.raw_to_end())
    assert screen.shown == ["SERVER: username invalid", EXIT]


def test_broken_and_closed_connections_are_removed(address: Address, ana: OldBase64, bob: OldBase64) -> None:
    bob.reset()
    ana.wait_for("SERVER: bob has left the server")
    with OldBase64(address, "cat") as cat:
        cat.wait_for("SERVER: welcome to the server")
    ana.wait_for("SERVER: cat has left the server")


def test_the_servers_end_does_not_make_anybody_spin(server: ServerProcess, ana: OldBase64) -> None:
    server.stop()
    ana.wait_for_exit()
    assert ana.screen.shown[-1] == EXIT


def test_requests_in_any_pieces(ana: OldBase64, bob: OldBase64) -> None:
    request = b"QlJPQURDQVNUOjpoaQ==" + END
    for byte in request:
        ana.raw(bytes([byte]))
    ana.raw(request * 3 + b"!" + END + b"/w==" + END)
    ana.wait(lambda: ana.screen.shown.count("USAGE: request invalid") == 2)
    bob.wait(lambda: bob.screen.shown.count("ana: hi") == 4)


def test_what_is_too_long_ends_only_its_own_connection(address: Address, ana: OldBase64, bob: OldBase64) -> None:
    bob.raw(b"A" * 70_000)
    bob.wait_for_exit()
    ana.wait_for("SERVER: bob has left the server")
    ana.say("ACCESS::nothing")
    ana.wait_for("SERVER: nothing: 0 files")


@pytest.mark.parametrize("text", ["<END>", "EXIT: x<END>EXIT: y<END>", ": ", "☺ жж", "[FILE_START]x|1[FILE_START_END]"])
def test_no_text_is_taken_for_structure(ana: OldBase64, bob: OldBase64, eve: NativePeer, text: str) -> None:
    eve.post(text)
    ana.say(f"BROADCAST::{text}")
    bob.wait_for(f"eve: {text}", f"ana: {text}")
    ana.wait_for(f"eve: {text}")


def test_a_line_can_not_pretend_to_be_somebody_elses(ana: OldBase64, eve: NativePeer) -> None:
    eve.post("hi\nSERVER: bob has left the server")
    ana.wait_for("eve: hi\n    SERVER: bob has left the server")


def test_names_beyond_ascii_are_never_cut(address: Address, bob: OldBase64) -> None:
    with OldBase64(address, "Зоя") as zoe:
        zoe.wait_for("SERVER: welcome to the server")
        for number in range(15):
            zoe.say(f"BROADCAST::{'x' * 500} {number}")
        bob.wait_for(*(f"Зоя: {'x' * 500} {number}" for number in range(15)))
        bob.say("UNICAST::Зоя:привет")
        zoe.wait_for("bob: привет")


def test_what_was_said_to_somebody_away_waits(address: Address, bob: OldBase64, eve: NativePeer) -> None:
    entered = eve.ask(Entered, lambda n: CreateGroup(n, "dev", focus=False, kept=True, members=("bob",)))
    assert isinstance(entered, Entered)
    bob.say("EXIT::")
    bob.wait_for_exit()
    eve.post("for later", ToGroup("dev"))
    with OldBase64(address, "bob") as again:
        again.wait_for("eve: (while you were away) [dev] for later")


def test_a_port_of_its_own(tmp_path: Path) -> None:
    """There it may begin with anything: no other wire is meant."""
    with running_server(tmp_path, "--listen", "unicast_base64=0") as server:
        (address,) = own_ports(server, 1)
        screen = Base64Screen()
        with NativePeer(address, greet=False) as peer:
            peer.raw(b"hello" + END + b"".join(b64encode(line) + END for line in (b"USERNAME::ana", b"EXIT::")))
            screen.hear(peer.raw_to_end())
        assert screen.shown == ["USAGE: request invalid", "SERVER: welcome to the server", EXIT]
        with OldBase64(address, "ana") as ana:
            ana.wait_for("SERVER: welcome to the server")
