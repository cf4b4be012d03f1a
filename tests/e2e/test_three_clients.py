"""Three people at one server: global, private and group talk, a download meanwhile, and ends of all kinds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mysticproto.errors import Code
from mysticproto.model import (
    Broadcast,
    CatchUp,
    CreateGroup,
    Direct,
    Entered,
    FileHashed,
    GetHistory,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    Groups,
    History,
    JoinGroup,
    LeaveGroup,
    ListGroups,
    ListUsers,
    Logout,
    Message,
    Ok,
    Refused,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
    UserJoined,
    UserLeft,
    Users,
)
from tests.e2e.programs import Program
from tests.support.canary import wait_for_end
from tests.support.native_peer import NativePeer
from tests.support.server_process import ServerProcess, running_server

BIG = bool(os.environ.get("MYSTIC_BIG"))
FILE_BYTES = 1024**3 if BIG else 64 * 1024**2
FILE_PIECE_BYTES = 1024**2


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path, "--unlimited") as running:
        yield running


@dataclass
class Three:
    """Three who are here, and who have each heard of those that came later."""

    ana: NativePeer
    bob: NativePeer
    eve: NativePeer


@pytest.fixture
def three(server: ServerProcess) -> Iterator[Three]:
    address = (server.host, server.port)
    with NativePeer(address) as ana, NativePeer(address) as bob, NativePeer(address) as eve:
        for name, peer in (("ana", ana), ("bob", bob), ("eve", eve)):
            peer.log_in(name)
        yield Three(ana, bob, eve)


def refused(reply: object) -> str:
    assert isinstance(reply, Refused), reply
    assert reply.text.endswith("."), reply.text
    return reply.code


# Talk.


def test_everybody_hears_who_comes_and_the_global_conversation(three: Three) -> None:
    assert [three.ana.wait_for(UserJoined).user.name for _ in range(2)] == ["bob", "eve"]
    assert three.bob.wait_for(UserJoined).user.name == "eve"
    kept = three.ana.post("hi")
    for peer in (three.ana, three.bob, three.eve):
        heard = peer.hear("hi")
        assert (heard.author.name, heard.conversation, heard.seq) == ("ana", Global(), kept.seq)
    assert not [said for said in three.eve.said if isinstance(said, UserJoined)]
    users = three.eve.ask(Users, ListUsers)
    assert isinstance(users, Users) and [line.user.name for line in users.users] == ["ana", "bob", "eve"]


def test_private_talk_reaches_only_those_it_is_for(three: Three) -> None:
    three.ana.post("for bob", ToUsers(("bob",)))
    three.ana.post("for both", ToUsers(("bob", "eve")))
    three.ana.post("for all")
    for peer in (three.ana, three.bob, three.eve):
        peer.hear("for all")
    assert three.bob.texts() == ["for bob", "for both", "for all"]
    assert three.eve.texts() == ["for both", "for all"]
    assert three.ana.texts() == ["for bob", "for both", "for all"]
    both = three.eve.hear("for both").conversation
    assert isinstance(both, Direct) and [user.name for user in both.users] == ["ana", "bob", "eve"]


def test_unknown_names_are_reported_and_the_others_reached(three: Three) -> None:
    assert three.ana.post("hi", ToUsers(("nobody", "bob"))).unknown == ("nobody",)
    three.bob.hear("hi")
    assert refused(three.ana.try_post("hi", ToUsers(("nobody",)))) == Code.UNKNOWN_USER
    assert refused(three.ana.try_post("hi", ToUsers(("ana",)))) == Code.NOT_TO_YOURSELF


def test_in_a_room_one_hears_the_room_and_broadcasts(three: Three) -> None:
    """And the others hear global; nobody hears what was not for them."""
    entered = three.ana.ask(Entered, lambda n: CreateGroup(n, "tea"))
    assert isinstance(entered, Entered) and entered.focus and entered.group.owner.name == "ana"
    for peer in (three.ana, three.bob, three.eve):
        assert peer.wait_for(GroupCreated).group == entered.group.group
    entered = three.bob.ask(Entered, lambda n: JoinGroup(n, "tea"))
    assert isinstance(entered, Entered) and [user.name for user in entered.group.members] == ["ana", "bob"]
    for peer in (three.ana, three.eve):
        peer.wait_for(GroupJoined, lambda event: event.user.name == "bob")

    three.ana.post("in the room", ToGroup())
    three.eve.post("in global")
    three.eve.post("to all", ToEveryone())
    three.bob.post("from the room, to global")
    three.ana.post("last", ToEveryone())

    for peer in (three.ana, three.bob, three.eve):
        peer.hear("last")
    room = entered.group.group
    assert three.ana.texts() == ["in the room", "to all", "last"]
    assert three.bob.texts() == ["in the room", "to all", "from the room, to global", "last"]  # his own words
    assert three.eve.texts() == ["in global", "to all", "from the room, to global", "last"]
    assert three.bob.hear("in the room").conversation == room
    assert three.ana.hear("to all").conversation == Broadcast()


def test_leaving_a_room_gives_global_back_and_the_last_one_closes_it(three: Three) -> None:
    three.ana.ask(Entered, lambda n: CreateGroup(n, "tea"))
    three.bob.ask(Entered, lambda n: JoinGroup(n, "tea"))
    three.eve.post("not for them")
    assert isinstance(three.ana.ask(Ok, LeaveGroup), Ok)
    assert three.eve.wait_for(GroupLeft).user.name == "ana"
    three.eve.post("for ana again")
    three.ana.hear("for ana again")
    assert three.ana.texts() == ["for ana again"]
    assert refused(three.ana.try_post("still there?", ToGroup("tea"))) == Code.NOT_IN_GROUP

    assert isinstance(three.bob.ask(Ok, lambda n: LeaveGroup(n, "tea")), Ok)
    for peer in (three.ana, three.bob, three.eve):
        peer.wait_for(GroupDeleted)
    groups = three.eve.ask(Groups, ListGroups)
    assert isinstance(groups, Groups) and groups.groups == ()
    assert refused(three.eve.ask(Entered, lambda n: JoinGroup(n, "tea"))) == Code.UNKNOWN_GROUP


def test_one_room_at_a_time_unless_one_keeps_hearing_global(three: Three) -> None:
    three.ana.ask(Entered, lambda n: CreateGroup(n, "tea"))
    three.bob.ask(Entered, lambda n: CreateGroup(n, "cake"))
    assert refused(three.ana.ask(Entered, lambda n: JoinGroup(n, "cake"))) == Code.IN_ANOTHER_GROUP
    entered = three.eve.ask(Entered, lambda n: JoinGroup(n, "tea", focus=False))
    assert isinstance(entered, Entered) and not entered.focus
    entered = three.eve.ask(Entered, lambda n: JoinGroup(n, "cake", focus=False))
    assert isinstance(entered, Entered)
    three.ana.post("tea!", ToGroup("tea"))
    three.bob.post("cake!", ToGroup("cake"))
    three.eve.post("global!")
    for text in ("tea!", "cake!", "global!"):
        three.eve.hear(text)


def test_a_room_that_exists_or_a_name_in_use_is_refused(server: ServerProcess, three: Three) -> None:
    three.ana.ask(Entered, lambda n: CreateGroup(n, "tea"))
    assert refused(three.bob.ask(Entered, lambda n: CreateGroup(n, "TEA"))) == Code.GROUP_EXISTS
    with NativePeer((server.host, server.port)) as other:
        assert refused(other.try_log_in("Ana")) == Code.NAME_IN_USE
        other.log_in("zoe")


def test_the_history_of_each_conversation(three: Three) -> None:
    three.ana.ask(Entered, lambda n: CreateGroup(n, "tea"))
    for number in range(5):
        three.eve.post(f"global {number}")
        three.ana.post(f"tea {number}", ToGroup())
        three.bob.post(f"private {number}", ToUsers(("eve",)))
    assert history(three.bob, ToGlobal()) == [f"global {number}" for number in range(5)]
    assert history(three.ana, ToGroup("tea")) == [f"tea {number}" for number in range(5)]
    assert history(three.eve, ToUsers(("bob",))) == [f"private {number}" for number in range(5)]
    assert refused(three.eve.ask(History, lambda n: GetHistory(n, ToGroup("tea")))) == Code.NOT_IN_GROUP


def history(peer: NativePeer, of: ToGlobal | ToUsers | ToGroup, page: int = 500) -> list[str]:
    """The texts of a whole conversation, oldest first."""
    texts: list[str] = []
    before = 0
    while True:
        reply = peer.ask(History, lambda n, before=before: GetHistory(n, of, before, page))  # type: ignore[misc]
        assert isinstance(reply, History), reply
        texts = [event.text for event in reply.events if isinstance(event, Message)] + texts
        if not reply.more:
            return texts
        before = reply.events[0].seq


# Ends.


def test_leaving_and_being_lost_are_told_apart(three: Three) -> None:
    assert isinstance(three.ana.ask(Ok, Logout), Ok)
    last_words = three.ana.read_to_end()
    assert last_words is not None and last_words.code == "left"
    left = three.eve.wait_for(UserLeft)
    assert (left.user.name, left.cause) == ("ana", "left")
    three.bob.reset()
    left = three.eve.wait_for(UserLeft)
    assert (left.user.name, left.cause) == ("bob", "lost")


def test_a_killed_program_is_noticed_and_its_room_kept(server: ServerProcess, three: Three, tmp_path: Path) -> None:
    with Program(tmp_path / "zoe", server.address, "zoe", "chat") as zoe:
        three.ana.wait_for(UserJoined, lambda event: event.user.name == "zoe")
        zoe.type("mystic create group tea")
        three.ana.wait_for(GroupCreated)
        zoe.process.kill()
        for peer in (three.ana, three.bob, three.eve):
            left = peer.wait_for(UserLeft)
            assert (left.user.name, left.cause) == ("zoe", "lost")
    groups = three.ana.ask(Groups, ListGroups)
    assert isinstance(groups, Groups) and [line.group.name for line in groups.groups] == ["tea"]


def test_a_device_that_was_lost_returns_to_its_room(server: ServerProcess, three: Three) -> None:
    address, key = (server.host, server.port), Ed25519PrivateKey.generate()
    with NativePeer(address) as before, NativePeer(address) as after:
        welcome = before.log_in("zoe", key)
        before.ask(Entered, lambda n: CreateGroup(n, "tea"))
        before.reset()
        assert three.ana.wait_for(UserLeft).cause == "lost"
        again = after.log_in("zoe", key, resume=welcome.session, after=welcome.upto)
        assert again.focus is not None and again.focus.name == "tea"
        three.bob.wait_for(UserJoined, lambda event: event.user.name == "zoe" and event.returned)
        three.ana.post("global, not for zoe")
        after.post("still here", ToGroup())
        after.hear("still here")
        assert after.texts() == ["still here"]


def test_a_device_takes_its_session_back_while_the_old_connection_looks_alive(
    server: ServerProcess, three: Three
) -> None:
    address, key = (server.host, server.port), Ed25519PrivateKey.generate()
    with NativePeer(address) as before, NativePeer(address) as after:
        welcome = before.log_in("zoe", key)
        before.ask(Entered, lambda n: CreateGroup(n, "tea"))
        three.ana.post("missed", ToUsers(("zoe",)))
        again = after.log_in("zoe", key, resume=welcome.session, after=welcome.upto)
        assert again.catching_up
        assert isinstance(again.focus, Group) and again.focus.name == "tea"
        missed = after.wait_for(CatchUp)
        assert [event.text for event in missed.events if isinstance(event, Message)] == ["missed"]
        assert (missed.upto, missed.more) == (again.upto, False)
        last_words = before.read_to_end()
        assert last_words is not None and last_words.code == Code.REPLACED
        three.ana.post("to zoe", ToUsers(("zoe",)))
        after.hear("to zoe")
    assert three.ana.wait_for(UserLeft).user.name == "zoe"
    assert [said.user.name for said in three.ana.said if isinstance(said, UserJoined)] == ["bob", "eve", "zoe"]


def test_the_server_says_goodbye_when_it_is_stopped(server: ServerProcess, three: Three) -> None:
    os.kill(server.pid, signal.SIGTERM)
    for peer in (three.ana, three.bob, three.eve):
        last_words = peer.read_to_end()
        assert last_words is not None and last_words.code == Code.STOPPING
        assert last_words.text
        peer.close()
    wait_for_end(server)


# Files.


def test_a_file_arrives_byte_for_byte_while_the_others_talk(server: ServerProcess, three: Three) -> None:
    """Chat is read and written in turns with pieces of the file, so it went on while the download was under way."""
    path = server.shared / "big.bin"
    expected = write_file(path, FILE_BYTES)
    ticket = three.eve.ticket("big.bin")
    assert ticket.size == FILE_BYTES
    round_trips_ms: list[float] = []
    with NativePeer((server.host, server.port)) as download:
        start = download.fetch(ticket.ticket)
        assert (start.size, start.offset) == (FILE_BYTES, 0)
        seen, received = blake3(), 0
        while received < FILE_BYTES:
            received += take(download, seen, min(FILE_PIECE_BYTES, FILE_BYTES - received))
            if received < FILE_BYTES:
                round_trips_ms.append(say_and_hear(three, len(round_trips_ms)))
        assert download.take_raw() == b""
    assert seen.digest() == expected == three.eve.wait_for(FileHashed).blake3
    said = [f"number {number}" for number in range(len(round_trips_ms))]
    assert len(said) > 10
    assert three.ana.texts() == three.bob.texts() == said
    report(round_trips_ms)


def test_the_real_client_downloads_while_the_others_talk(server: ServerProcess, three: Three, tmp_path: Path) -> None:
    """At full speed, in a process of its own."""
    expected = write_file(server.shared / "big.bin", FILE_BYTES)
    copy = tmp_path / "copy.bin"
    round_trips_ms: list[float] = []
    with Program(tmp_path / "zoe", server.address, "zoe", "get", "big.bin", "-o", str(copy)) as zoe:
        while zoe.process.poll() is None:
            round_trips_ms.append(say_and_hear(three, len(round_trips_ms)))
        assert zoe.ends() == 0, zoe.errors
    assert blake3().update_mmap(copy).digest() == expected
    assert three.ana.texts() == three.bob.texts() == [f"number {number}" for number in range(len(round_trips_ms))]
    report(round_trips_ms)


def write_file(path: Path, size: int) -> bytes:
    """Not all the same, not on the disk as a whole at once; returns the hash."""
    hash_of_all, piece = blake3(), os.urandom(FILE_PIECE_BYTES)
    with path.open("wb") as file:
        for number in range(size // FILE_PIECE_BYTES):
            data = number.to_bytes(8) + piece[8:]
            hash_of_all.update(data)
            file.write(data)
    return hash_of_all.digest()


def take(download: NativePeer, seen: blake3, at_least: int) -> int:
    """Reads so many bytes of the file, or some more."""
    taken = 0
    while taken < at_least:
        data = download.take_raw()
        assert data, "the file was cut short"
        seen.update(data)
        taken += len(data)
    return taken


def say_and_hear(three: Three, number: int) -> float:
    """One message from ana to bob; the milliseconds until he has it."""
    text = f"number {number}"
    started = time.perf_counter()
    three.ana.post(text)
    three.bob.hear(text)
    return (time.perf_counter() - started) * 1000


def report(round_trips_ms: list[float]) -> None:
    ordered = sorted(round_trips_ms)
    p50, p99 = (ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
    print(
        f"\n{FILE_BYTES // 1024**2} MiB, {len(ordered)} messages meanwhile: "
        f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {ordered[-1]:.2f} ms"
    )
