"""Peers: which connection belongs to which session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.hub.sessions import Peers
from mysticproto.model import Bye, Ping, Pong
from tests.server.hub.rig import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def test_a_connection_is_a_peer_before_it_has_a_session(rig: Rig) -> None:
    client = rig.connects()
    assert len(rig.peers) == 1
    assert rig.peers.of(client.connection) is client.peer
    assert client.session == 0


def test_a_session_is_found_until_it_is_released(rig: Rig) -> None:
    peers, peer = rig.peers, rig.connects().peer
    version = peers.version
    peers.bind(peer, 7)
    assert peers.of_session(7) is peer
    assert peers.version == version + 1
    peers.release(peer)
    assert peers.of_session(7) is None
    assert peer.session == 0
    assert peers.version == version + 2


def test_releasing_does_not_take_a_session_from_its_next_connection(rig: Rig) -> None:
    old, new = rig.connects().peer, rig.connects().peer
    rig.peers.bind(old, 7)
    rig.peers.bind(new, 7)
    rig.peers.release(old)
    assert rig.peers.of_session(7) is new


def test_peers_may_go_while_all_are_looked_at(rig: Rig) -> None:
    for _ in range(3):
        rig.connects()
    for peer in rig.peers:
        rig.peers.remove(peer.connection)
    assert len(rig.peers) == 0


def test_a_connection_that_nobody_knows_may_be_removed(rig: Rig) -> None:
    peers, client = Peers(), rig.connects()
    peers.remove(client.connection)
    assert peers.of(client.connection) is None


def test_the_last_words_are_said_and_nothing_after_them(rig: Rig) -> None:
    client = rig.connects()
    client.heard.clear()
    client.peer.end(Bye("idle", "Too long."))
    client.peer.answer(Ping(1), Pong(1, 0))
    client.peer.end(Bye("left", "Again."))
    rig.settle()
    assert client.heard == [Bye("idle", "Too long.")]
    assert client.is_at_end
