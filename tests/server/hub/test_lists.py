"""Long lists: as fast as the peer reads, and no more of them in memory than a part."""

from __future__ import annotations

import pytest

from mystic_server.domain import queries
from mystic_server.domain.world import Group, User
from mysticproto.model import CreateGroup, Groups, ListGroups, ListUsers, Ping, Pong, Users
from tests.server.hub.rig import HARD_LIMIT, Client, Rig

MEMBERS = 1_000
GROUPS = 100


def crowded(rig: Rig) -> None:
    """Many groups with many members, which is more than may wait for one peer."""
    world = rig.world
    for id in range(10_000, 10_000 + MEMBERS):
        world.put_user(User(id, f"somebody_with_a_long_name{id}"))
    for id in range(20_000, 20_000 + GROUPS):
        world.put_group(Group(id, f"group{id}", 10_000, True, list(range(10_000, 10_000 + MEMBERS))))


def held(client: Client) -> int:
    return client.connection.queue.bytes_held


def test_a_list_longer_than_what_may_wait_comes_whole() -> None:
    with Rig() as rig:
        crowded(rig)
        ana = rig.comes("ana", sndbuf=4096)
        ana.asks(ListGroups(5), Ping(6))
        ana.reads = False
        rig.settle()
        assert ana.connection.is_open
        assert 0 < held(ana) < HARD_LIMIT / 8
        ana.reads = True
        rig.settle()
        parts = ana.takes(Groups)
        assert sum(len(info.members) for part in parts for info in part.groups) == GROUPS * MEMBERS
        assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
        assert len(ana.takes(Pong)) == 1


def test_a_second_list_waits_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "LIST_PART", 1)
    with Rig() as rig:
        people = [rig.comes(f"ana{number}") for number in range(3)]
        people[0].asks(CreateGroup(4, "one"), ListUsers(5), ListGroups(6), ListUsers(7), Ping(8))
        rig.settle()
        said = [part for part in people[0].heard if isinstance(part, Users | Groups)]
        assert [part.n for part in said] == [5, 5, 5, 6, 7, 7, 7]
        assert len(people[0].takes(Pong)) == 1


def test_who_goes_in_the_middle_of_a_list_leaves_nothing_behind() -> None:
    with Rig() as rig:
        crowded(rig)
        ana, bob = rig.comes("ana", sndbuf=4096), rig.comes("bob")
        ana.reads = False
        ana.asks(ListGroups(5))
        rig.settle()
        ana.goes()
        rig.settle()
        bob.asks(ListUsers(1))
        rig.settle()
        assert [info.user.name for part in bob.takes(Users) for info in part.users] == ["bob"]
