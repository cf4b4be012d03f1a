"""The relay client in a real server's room: the whole conversation, both ports, goodbyes and losses, the countdown."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mysticproto.model import StoppingIn, ToEveryone, ToUsers
from tests.support.native_peer import NativePeer
from tests.support.old_pickle_relay import OldRelay, command, framed, message
from tests.support.own_ports import own_ports
from tests.support.server_process import ServerProcess, running_server

Address = tuple[str, int]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path, "--listen", "pickle_relay=0,0", "--unlimited") as running:
        yield running


@pytest.fixture
def ports(server: ServerProcess) -> tuple[Address, Address]:
    push, submit = own_ports(server, 2)
    return push, submit


@pytest.fixture
def ann(ports: tuple[Address, Address]) -> Iterator[OldRelay]:
    with accepted("ann", *ports) as client:
        yield client


@pytest.fixture
def bob(ports: tuple[Address, Address], ann: OldRelay) -> Iterator[OldRelay]:
    with accepted("bob", *ports) as client:
        yield client


@pytest.fixture
def eve(server: ServerProcess) -> Iterator[NativePeer]:
    """Somebody at Mystic's own client."""
    with NativePeer((server.host, server.port)) as peer:
        peer.log_in("eve")
        yield peer


def accepted(name: str, push: Address, submit: Address) -> OldRelay:
    client = OldRelay(name, push, submit)
    client.be_accepted()
    return client


def ends(sock: socket.socket) -> bool:
    """Whether the server closes a connection, after whatever else it says."""
    sock.settimeout(15.0)
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


# The conversation.


def test_messages_come_back_and_reach_others(ann: OldRelay, bob: OldRelay) -> None:
    before = time.time()
    ann.say("hello ☺")
    at_s, _, _ = ann.wait_for("ann", "hello ☺")
    assert bob.wait_for("ann", "hello ☺") == (at_s, "ann", "hello ☺")
    assert before - 60 < at_s < time.time() + 60


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickle_is_read(ann: OldRelay, protocol: int) -> None:
    ann.say("héllo", protocol)
    ann.wait_for("ann", "héllo")
    ann.submit(message("bare", protocol))
    ann.wait_for("ann", "bare")


def test_nobody_speaks_for_others(ann: OldRelay) -> None:
    ann.submit(message((0.0, "SERVER", "User bob disconnected")))
    at_s, _, _ = ann.wait_for("ann", "User bob disconnected")
    assert at_s > 1e9


def test_the_whole_conversation_on_connect(ports: tuple[Address, Address], ann: OldRelay) -> None:
    for number in range(30):
        ann.say(f"line {number}")
    ann.wait_for("ann", "line 29")
    with accepted("late", *ports) as late:
        assert [text for _, name, text in late.push.conversation if name == "ann"] == [f"line {n}" for n in range(30)]


def test_the_conversation_outlives_the_server(tmp_path: Path) -> None:
    words = ("--listen", "pickle_relay=0,0")
    with running_server(tmp_path, *words) as server, accepted("ann", *own_ports(server, 2)) as ann:
        ann.say("hello")
        ann.wait_for("ann", "hello")
    with running_server(tmp_path, *words) as server, accepted("ann", *own_ports(server, 2)) as ann:
        assert [entry[1:] for entry in ann.push.conversation if entry[1] == "ann"] == [("ann", "hello")]


def test_a_list_at_most_every_half_second(ann: OldRelay, eve: NativePeer) -> None:
    before, start = ann.push.lists, time.monotonic()
    for number in range(500):
        eve.post(f"line {number}")
    ann.wait_for("eve", "line 499")
    took_s = time.monotonic() - start
    assert ann.push.lists - before <= took_s / 0.4 + 2


def test_a_client_that_does_not_read_gets_the_newest_list(ann: OldRelay, eve: NativePeer) -> None:
    for number in range(100):
        eve.post("x" * 30_000 + f" {number}")
    last = f"{'x' * 30_000} 99"
    ann.wait_for("eve", last)
    assert len(ann.push.conversation) < 30
    assert sum(len(text) for _, _, text in ann.push.conversation) < 512 * 1024


def test_control_characters_are_left_out(ann: OldRelay, eve: NativePeer) -> None:
    ann.say("one\x1ftwo\x00\x7f")
    ann.wait_for("ann", "onetwo")
    eve.post("two\nlines")
    ann.wait_for("eve", "two lines")


# With others.


def test_with_somebody_at_mystics_own_client(ann: OldRelay, eve: NativePeer) -> None:
    ann.say("hello")
    eve.hear("hello")
    eve.post("hear, hear", ToEveryone())
    ann.wait_for("eve", "hear, hear")
    eve.post("psst", ToUsers(("ann",)))
    ann.wait_for("eve", "[private] psst")
    eve.post("msg:3           abc")
    ann.wait_for("eve", "msg:3           abc")


# Coming and going.


def test_a_name_in_use(ports: tuple[Address, Address], ann: OldRelay) -> None:
    with OldRelay("ann", *ports) as other:
        other.wait_for_command("username_taken", "ann")
        other.wait_for_end()
    ann.say("still here")
    ann.wait_for("ann", "still here")


def test_disconnecting_is_told_apart_from_being_lost(
    ann: OldRelay, bob: OldRelay, ports: tuple[Address, Address]
) -> None:
    bob.submit(command("disconnect"))
    bob.wait_for_end()
    *_, at_s = ann.wait_for_command("client_disconnected", "bob")
    assert abs(float(at_s) - time.time()) < 60
    entry = ann.wait_for("SERVER", "User bob disconnected")
    assert entry[0] == pytest.approx(float(at_s))
    with accepted("carl", *ports) as carl:
        pass
    assert carl.push.lists
    ann.wait_for_command("client_disconnected", "carl")
    ann.wait_for("SERVER", "User carl unexpectedly disconnected")


@pytest.mark.parametrize("side", ["push", "submit"])
def test_either_connection_lost_is_the_end(ann: OldRelay, bob: OldRelay, side: str) -> None:
    bob.submit(message("hi"))
    bob.wait_for("bob", "hi")
    bob.lose(side)
    ann.wait_for("SERVER", "User bob unexpectedly disconnected")


def test_a_submit_side_without_a_push_side_is_closed(ports: tuple[Address, Address], ann: OldRelay) -> None:
    with socket.create_connection(ports[1]) as lonely:
        lonely.sendall(command("connect", "nobody") + message("hi"))
        assert ends(lonely)
    with socket.create_connection(ports[1]) as third:
        ann.say("hi")
        ann.wait_for("ann", "hi")
        third.sendall(command("connect", "ann"))
        assert ends(third)
    ann.say("still here")
    ann.wait_for("ann", "still here")
    assert [name for _, name, _ in ann.push.conversation] == ["ann", "ann"]


def test_both_connections_on_the_main_port(server: ServerProcess, ann: OldRelay) -> None:
    address = server.host, server.port
    with accepted("carl", address, address) as carl:
        carl.say("from the main port")
        ann.wait_for("carl", "from the main port")
        carl.wait_for("carl", "from the main port")
        carl.submit(command("disconnect"))
        carl.wait_for_end()
    ann.wait_for("SERVER", "User carl disconnected")


# What is sent wrong.


class Evil:
    """Would run something in whoever unpickles it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (open, (str(self._path), "w"))


def test_pickles_never_do_anything(tmp_path: Path, ann: OldRelay) -> None:
    canary = tmp_path / "canary"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for value in (Evil(canary), (1.0, "ann", Evil(canary)), [Evil(canary)]):
            ann.submit(message(value, protocol))
    ann.submit(framed("msg", b"cos\nsystem\n(S'true'\ntR.\x1f" + b"0" * 64))
    ann.say("unharmed")
    ann.wait_for("ann", "unharmed")
    assert not canary.exists()
    assert len(ann.push.conversation) == 1


def test_an_impossible_header_ends_only_its_own_session(ann: OldRelay, bob: OldRelay) -> None:
    bob.submit(b"msg:99999999    ")
    bob.wait_for_end()
    ann.wait_for("SERVER", "User bob unexpectedly disconnected")


# The end of the server.


def test_nobody_stops_a_server_that_does_not_allow_it(ann: OldRelay) -> None:
    ann.submit(command("shutdown"))
    assert ann.read_submit() == command("shutdown_refused")
    ann.say("still here")
    ann.wait_for("ann", "still here")


def test_the_end_of_the_server_is_told(server: ServerProcess, ann: OldRelay) -> None:
    os.kill(server.pid, signal.SIGTERM)
    ann.wait_for_command("server_shutdown", "0")
    ann.wait_for_end()


def test_a_shutdown_that_is_allowed_counts_down(tmp_path: Path) -> None:
    with running_server(tmp_path, "--listen", "pickle_relay=0,0", "--relay-shutdown", "loopback") as server:
        with NativePeer((server.host, server.port)) as eve, accepted("ann", *own_ports(server, 2)) as ann:
            eve.log_in("eve")
            ann.submit(command("shutdown"))
            ann.wait_for_command("server_shutdown", "60")
            ann.wait_for("SERVER", "Server shutting down in 60 seconds...")
            assert eve.wait_for(StoppingIn).seconds == 60
