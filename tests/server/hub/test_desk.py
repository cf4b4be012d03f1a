"""What the parts of the gateway share: answers that come late, and whose session is still there."""

from __future__ import annotations

from mysticproto.model import ListFolder, Ok, Ping, Pong, Refused
from tests.server.hub.rig import Rig


def test_a_peer_whose_session_has_ended_has_none() -> None:
    with Rig() as rig:
        ana = rig.comes("ana")
        peer, session = ana.peer, ana.session
        found = rig.gateway.desk.session_of(peer)
        assert found and found.id == session
        ana.goes()
        rig.settle()
        assert rig.gateway.desk.session_of(peer) is None


def test_what_waited_for_an_answer_goes_on_after_it() -> None:
    with Rig() as rig:
        ana = rig.comes("ana")
        ana.asks(ListFolder(1), ListFolder(2), Ping(3))
        rig.settle()
        assert len(rig.files.listings) == 1 and ana.takes(Pong) == []
        rig.files.listings[0](Refused(1, "file_not_found", "No."))
        rig.settle()
        assert len(rig.files.listings) == 2 and ana.takes(Pong)
        assert [each.n for each in ana.takes(Refused)] == [1]


def test_an_end_is_proposed_once() -> None:
    with Rig() as rig:
        ana = rig.comes("ana")
        before = rig.gateway.fanout.pending
        for _ in range(3):
            rig.gateway.desk.end_session(ana.session, "kicked")
        assert rig.gateway.fanout.pending == before + 1
        rig.settle()
        assert not rig.world.sessions and ana.takes(Ok) == []
