"""MUCA's client in a real server's room: everything that its window can do, and what must never end it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mysticproto.model import Broadcast, CreateGroup, Direct, Entered, ToEveryone, ToGroup, ToUsers
from tests.support.native_peer import NativePeer
from tests.support.old_muca_json import OldMuca
from tests.support.own_ports import own_ports
from tests.support.server_process import ServerProcess, running_server

Address = tuple[str, int]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def address(server: ServerProcess) -> Address:
    return server.host, server.port


@pytest.fixture
def ann(address: Address) -> Iterator[OldMuca]:
    with OldMuca(address, "Ann", "ann@hku.hk") as client:
        assert client.join() == "OKAY"
        client.wait_for_list("Ann")
        yield client


@pytest.fixture
def bob(address: Address, ann: OldMuca) -> Iterator[OldMuca]:
    with OldMuca(address, "Bob", "bob") as client:
        assert client.join() == "OKAY"
        ann.wait_for_list("Ann", "Bob")
        client.wait_for_list("Ann", "Bob")
        yield client


@pytest.fixture
def eve(address: Address) -> Iterator[NativePeer]:
    """Somebody at Mystic's own client."""
    with NativePeer(address) as peer:
        peer.log_in("eve")
        yield peer


def test_a_uid_in_use_fails_and_nothing_is_lost(address: Address, ann: OldMuca, bob: OldMuca) -> None:
    with OldMuca(address, "Imposter", "ann@hku.hk") as other:
        assert other.join() == "FAIL"
        other.uid = "other@hku.hk"
        assert other.join() == "OKAY"
        other.wait_for_list("Ann", "Bob", "Imposter")
    assert ann.join() == "FAIL"
    ann.send("still here")
    bob.wait_for("ALL", "Ann", "still here")


def test_a_nickname_may_be_had_twice_but_not_taken_away(address: Address, ann: OldMuca) -> None:
    with OldMuca(address, "Ann", "ann2@hku.hk") as other:
        assert other.join() == "OKAY"
        ann.wait_for_list("Ann", "Ann (ann2@hku.hk)")
        ann.send("psst", "Ann (ann2@hku.hk)")
        other.wait_for("PRIVATE", "Ann", "psst")


@pytest.mark.parametrize("uid", ["", "server", "a\nb", "x" * 40])
def test_what_can_be_nobodys_uid_fails(address: Address, uid: str) -> None:
    with OldMuca(address, "Ann", uid) as client:
        assert client.join() == "FAIL"
        client.uid = "ann@hku.hk"
        assert client.join() == "OKAY"


def test_messages_to_all_to_one_and_to_several(address: Address, ann: OldMuca, bob: OldMuca, eve: NativePeer) -> None:
    with OldMuca(address, "Cat", "cat@hku.hk") as cat:
        assert cat.join() == "OKAY"
        ann.wait_for_list("Ann", "Bob", "Cat", "eve")
        ann.send("all of you")
        ann.send("only you", "Bob")
        ann.send("you two", "Bob", "eve")
        ann.send("enough")
        bob.wait_for("ALL", "Ann", "enough")
        cat.wait_for("ALL", "Ann", "enough")
        assert [(kind, text) for kind, _, text in bob.screen.shown] == [
            ("ALL", "all of you\n"),
            ("PRIVATE", "only you\n"),
            ("GROUP", "you two\n"),
            ("ALL", "enough\n"),
        ]
        assert [text for _, _, text in cat.screen.shown] == ["all of you\n", "enough\n"]
        assert isinstance(eve.hear("all of you").conversation, Broadcast)
        assert isinstance(eve.hear("you two").conversation, Direct)
    assert ann.screen.shown == []


def test_a_forged_sender_is_replaced(ann: OldMuca, bob: OldMuca) -> None:
    bob.say({"CMD": "SEND", "MSG": "I am Ann", "TO": [], "FROM": "ann@hku.hk"})
    ann.wait_for("ALL", "Bob", "I am Ann")


def test_a_user_of_mystics_own_client_answers(address: Address, ann: OldMuca, bob: OldMuca, eve: NativePeer) -> None:
    ann.wait_for_list("Ann", "Bob", "eve")
    ann.send("hi eve", "eve")
    heard = eve.hear("hi eve")
    assert heard.author.name == "ann_40_hku.hk"
    eve.post("hi ann", ToUsers((heard.author.name,)))
    eve.post("hi all")
    eve.post("hear", ToEveryone())
    ann.wait_for("PRIVATE", "eve", "hi ann")
    ann.wait_for("ALL", "eve", "hi all")
    bob.wait_for("ALL", "eve", "hear")
    entered = eve.ask(Entered, lambda n: CreateGroup(n, "dev", focus=False, kept=True, members=("bob",)))
    assert isinstance(entered, Entered)
    eve.post("a secret", ToGroup("dev"))
    bob.wait_for("GROUP", "eve", "[dev] a secret")


def test_leaving_and_coming_back(address: Address, ann: OldMuca, bob: OldMuca) -> None:
    bob.close()
    ann.wait_for_list("Ann")
    with OldMuca(address, "Bobby", "bob") as again:
        assert again.join() == "OKAY"
        ann.wait_for_list("Ann", "Bobby")
        ann.send("welcome back", "Bobby")
        again.wait_for("PRIVATE", "Ann", "welcome back")


def test_broken_connections_are_removed(ann: OldMuca, bob: OldMuca) -> None:
    bob.reset()
    ann.wait_for_list("Ann")


def test_unknown_addressees_are_named_and_the_others_reached(ann: OldMuca, bob: OldMuca) -> None:
    ann.say({"CMD": "SEND", "MSG": "hi\n", "TO": ["bob", "nobody@x.y"], "FROM": "ann@hku.hk"})
    bob.wait_for("PRIVATE", "Ann", "hi")
    ann.wait_for("PRIVATE", None, "Nobody here is called nobody@x.y.")


@pytest.mark.parametrize(
    "text",
    [
        "}{",
        'a}{"CMD":"LIST","DATA":[]}{b',
        "жж ☺ \U0001f600",
        "two\nlines",
        "\\u007b",
        '"',
        "[FILE_START]x|1[FILE_START_END]",
    ],
)
def test_no_text_ends_a_client(ann: OldMuca, bob: OldMuca, eve: NativePeer, text: str) -> None:
    ann.send(text)
    bob.wait_for("ALL", "Ann", text)
    eve.post(text)
    eve.post("after")
    ann.wait_for("ALL", "eve", text)
    ann.wait_for("ALL", "eve", "after")


def test_a_long_text_arrives_whole(ann: OldMuca, eve: NativePeer) -> None:
    text = "".join(f"{number} ☺ }}{{ " for number in range(1000))
    eve.post(text)
    eve.post("after")
    ann.wait_for("ALL", "eve", "after")
    assert "".join(part.removesuffix("\n") for _, _, part in ann.screen.shown[:-1]) == text


def test_many_users_are_all_listed(address: Address, ann: OldMuca) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(NativePeer(address)) for _ in range(40)]
        for number, peer in enumerate(crowd):
            peer.log_in(f"user{number}")
        ann.wait(lambda: len(ann.screen.uid_of) == 41)
        crowd[-1].post("hi", ToUsers(("ann_40_hku.hk",)))
        ann.wait_for("PRIVATE", "user39", "hi")


def test_objects_in_any_pieces_are_understood(address: Address, eve: NativePeer) -> None:
    with socket.create_connection(address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        joining = b'{"CMD":"JOIN","UN":"Ann","UID":"ann@hku.hk"}'
        sending = b'{"CMD":"SEND","MSG":"%d","TO":[],"FROM":""}'
        sock.sendall(joining + sending % 1 + b"\n" + sending % 2)
        for byte in sending % 3:
            sock.sendall(bytes([byte]))
        for number in (1, 2, 3):
            assert eve.hear(str(number)).author.name == "ann_40_hku.hk"


def test_nobody_who_has_not_joined_hears_or_says_anything(address: Address, ann: OldMuca, eve: NativePeer) -> None:
    with OldMuca(address, "Bob", "bob") as bob:
        bob.say({"CMD": "SEND", "MSG": "too early", "TO": [], "FROM": "bob"})
        eve.post("secret")
        ann.wait_for("ALL", "eve", "secret")
        assert bob.join() == "OKAY"
        assert bob.screen.shown == []
    eve.ping()
    assert "too early" not in eve.texts()


@pytest.mark.parametrize(
    "garbage",
    [b'{"CMD":"JOIN"' + b"[" * 100_000, b'{"CMD":"' + b"x" * 100_000, b'{"CMD":1}' * 5, b'{"CMD" x}' * 5],
    ids=["too deep", "too long", "no command", "no JSON"],
)
def test_garbage_ends_only_its_own_connection(address: Address, ann: OldMuca, bob: OldMuca, garbage: bytes) -> None:
    with NativePeer(address, greet=False) as vandal:
        vandal.raw(garbage)
        vandal.raw_to_end()
    ann.send("fine")
    bob.wait_for("ALL", "Ann", "fine")


def test_what_was_said_to_somebody_away_waits(address: Address, ann: OldMuca, bob: OldMuca, eve: NativePeer) -> None:
    entered = eve.ask(Entered, lambda n: CreateGroup(n, "dev", focus=False, kept=True, members=("bob",)))
    assert isinstance(entered, Entered)
    bob.close()
    ann.wait_for_list("Ann", "eve")
    eve.post("for later", ToGroup("dev"))
    with OldMuca(address, "Bob", "bob") as again:
        assert again.join() == "OKAY"
        again.wait(lambda: bool(again.screen.shown))
        kind, _, text = again.screen.shown[0]
        assert (kind, text) == ("GROUP", "(while you were away) eve: [dev] for later\n")


def test_at_the_end_the_server_says_so(server: ServerProcess, ann: OldMuca) -> None:
    server.stop()
    ann.wait(lambda: ann.is_closed)
    assert ann.screen.shown


def test_a_port_of_its_own(tmp_path: Path) -> None:
    """There it may begin with anything: no other wire is meant."""
    with running_server(tmp_path, "--listen", "muca_json=0") as server:
        (address,) = own_ports(server, 1)
        with OldMuca(address, "Ann", "ann@hku.hk") as ann:
            ann.say({"TO": [], "CMD": "SEND", "MSG": "too early"})
            assert ann.join() == "OKAY"
            ann.wait_for_list("Ann")
