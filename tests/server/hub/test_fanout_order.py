"""Everybody hears exactly what concerns them, in the log's order, whatever batches and single pushes meet."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from mystic_server.domain.apply import apply
from mystic_server.domain.events import Joined
from mystic_server.domain.world import World
from mysticproto import model
from mysticproto.model import CreateGroup, JoinGroup, LeaveGroup, Logout, Message, Post
from mysticproto.native import NativeWire
from tests.server.hub.rig import Client, OddWire, Rig

NAMES = ["ana", "bob", "carl", "odd-dora", "odd-emil"]
EVENTS = (
    Message
    | model.UserJoined
    | model.UserLeft
    | model.GroupCreated
    | model.GroupJoined
    | model.GroupLeft
    | model.GroupDeleted
)

targets = st.one_of(
    st.just(model.ToGlobal()),
    st.just(model.ToGlobal()),
    st.just(model.ToEveryone()),
    st.builds(model.ToGroup, st.sampled_from(["", "team", "club"])),
    st.builds(model.ToUsers, st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple)),
)
requests: st.SearchStrategy[model.Request] = st.one_of(
    st.builds(Post, st.just(1), targets, st.sampled_from(["x", "x" * 3000])),
    st.builds(Post, st.just(1), targets, st.just("y")),
    st.builds(Post, st.just(1), targets, st.just("z")),
    st.builds(CreateGroup, st.just(1), st.sampled_from(["team", "club"]), st.booleans()),
    st.builds(JoinGroup, st.just(1), st.sampled_from(["team", "club"]), st.booleans()),
    st.builds(LeaveGroup, st.just(1), st.sampled_from(["", "team", "club"])),
)
Step = Callable[["Play"], None]


class Play:
    """People on two wires who ask, read, stop reading and leave in any order."""

    def __init__(self, rig: Rig, are_odd: bool) -> None:
        self.rig = rig
        self.are_odd = are_odd
        self.all: list[tuple[int, Client]] = []
        self.here: dict[str, Client] = {}

    def come(self, name: str) -> Client:
        wire = OddWire if self.are_odd and name.startswith("odd") else NativeWire
        client = self.here[name] = self.rig.connects(wire)
        client.asks(client.login(name))
        return client


def asks(name: str, request: model.Request) -> Step:
    def step(play: Play) -> None:
        if name in play.here:
            play.here[name].asks(request)
        else:
            play.come(name)

    return step


def reads(name: str, reads: bool) -> Step:
    def step(play: Play) -> None:
        if name in play.here:
            play.here[name].reads = reads

    return step


def goes(name: str, says_so: bool) -> Step:
    def step(play: Play) -> None:
        client = play.here.pop(name, None)
        if client and says_so:
            client.asks(Logout(9))
        elif client:
            client.goes()

    return step


def holds(held: bool) -> Step:
    def step(play: Play) -> None:
        play.rig.log.is_held = held

    return step


def settles(play: Play) -> None:
    play.rig.settle()


names = st.sampled_from(NAMES)
steps: st.SearchStrategy[Step] = st.one_of(
    *[st.builds(asks, names, requests)] * 5,
    st.builds(reads, names, st.booleans()),
    st.builds(goes, names, st.booleans()),
    st.builds(holds, st.booleans()),
    st.just(settles),
)


scripts = st.lists(steps, max_size=10) | st.lists(steps, min_size=20, max_size=60)


@given(script=scripts, are_odd=st.booleans())
def test_everybody_hears_what_concerns_them_in_log_order(script: list[Step], are_odd: bool) -> None:
    with Rig(soft=8_000) as rig:
        play = Play(rig, are_odd)
        for name in NAMES:
            play.come(name)
        for step in script:
            step(play)
        rig.log.is_held = False
        for client in rig.clients:
            client.reads = True
        rig.wait(3, step=0.05)
        expected = who_should_hear_what(rig)
        for client in rig.clients:
            check(rig, client, expected)


def check(rig: Rig, client: Client, expected: dict[int, list[tuple[int, str]]]) -> None:
    """A client that is still here heard all of it; one that left heard the beginning."""
    for welcome in client.takes(model.Welcome):
        heard = [(each.seq, type(each).__name__) for each in client.heard if isinstance(each, EVENTS)]
        should = expected[welcome.session]
        if isinstance(client.connection.wire, OddWire):
            should = [each for each in should if not each[1].endswith("*")]
        should = [(seq, kind.rstrip("*")) for seq, kind in should]
        if rig.peers.of(client.connection):
            assert heard == should
        else:
            assert heard == should[: len(heard)]


def who_should_hear_what(rig: Rig) -> dict[int, list[tuple[int, str]]]:
    """By session, from the log alone: number and kind, with * where the odd wire has no copy."""
    world, expected = World(), dict[int, list[tuple[int, str]]]()
    for committed in rig.log.events:
        applied = apply(world, committed)
        for each in applied.deliveries:
            kind = type(each.event).__name__
            others = each.to.members - set(each.author)
            for session in others:
                expected.setdefault(session, []).append((committed.seq, kind))
            for session in each.author:
                expected.setdefault(session, []).append((committed.seq, kind + "*" * (kind == "Message")))
            for session in each.bystanders.members - others - set(each.author):
                expected.setdefault(session, []).append((committed.seq, kind + "*"))
        if isinstance(committed.event, Joined):
            expected[committed.event.session] = []  # nobody is told of their own coming
    return expected
