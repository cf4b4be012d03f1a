"""The relay client's dialogue: two sides, one conversation, and a list that is never older than it needs to be."""

from __future__ import annotations

import pytest

from mysticproto import model
from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy import pickle_frames
from mysticproto.legacy.pickle_relay import (
    LIST_INTERVAL_S,
    MAX_KEPT_BYTES,
    PAIRED,
    KeptConversation,
    PickleRelayPush,
    PickleRelaySubmit,
    PickleRelayWire,
)
from mysticproto.model import (
    Broadcast,
    Bye,
    CatchUp,
    Direct,
    Event,
    GetHistory,
    Global,
    History,
    Login,
    Logout,
    Message,
    Notice,
    Ok,
    Ping,
    Pong,
    Post,
    Refused,
    Request,
    Shutdown,
    StoppingIn,
    ToGlobal,
    UserLeft,
    UserRef,
    Welcome,
)
from mysticproto.wire import Chunks, Item, Local, Raw, Role
from tests.support.old_pickle_relay import RelayPush, command, message

ANN = UserRef(1, "ann")
BOB = UserRef(2, "bob_40_hku.hk")
CREW = model.Group(4, "crew")
S = 1_800_000_000
T = S * 1_000_000 + 250_000


def said(seq: int, text: str, author: UserRef = BOB, where: model.Conversation | None = None) -> Message:
    return Message(seq, T + seq, author, where or Global(), text)


def request_of(item: Item) -> Request:
    assert not isinstance(item, Local | Raw | ProtocolError)
    return item


class PushSide:
    """A wire of the push port with ann at its other end; `push` is what she has."""

    def __init__(self, past: tuple[Event, ...] = (), kind: type[PickleRelayWire] = PickleRelayPush) -> None:
        self.wire = kind()
        self.push = RelayPush()
        self.take(self.wire.opened(0.0))
        (login,) = self.feed(command("connect", "ann"))
        self.hear(self.wire.answer(request_of(login), Welcome(1, 7, ANN, "guest", 9)))
        ping, self.history = self.wire.take_follow_ups()
        assert self.wire.take_follow_ups() == []
        assert self.wire.answer(ping, Pong(ping.n, T)) == ()
        self.hear(self.wire.answer(self.history, History(2, past)))

    def feed(self, data: bytes, now: float = 0.0) -> list[Item]:
        return self.wire.feed(data, now)

    def take(self, items: list[Item]) -> None:
        for item in items:
            assert isinstance(item, Local)
            self.hear(item.chunks)

    def hear(self, chunks: Chunks) -> None:
        for chunk in chunks:
            assert isinstance(chunk, bytes)
            self.push.hear(chunk)

    def tell(self, event: Event | model.Passing, now: float, role: Role = Role.OTHER) -> None:
        self.hear(self.wire.tell(event, role, now))

    def pass_time(self, now: float) -> list[Item]:
        """Calls the wire if it wants to be called by then."""
        deadline = self.wire.next_deadline()
        return self.feed(b"", now) if deadline is not None and deadline <= now else []

    def be_read(self, ping: Item) -> None:
        """The server gets to the wire's question: what was sent before is read."""
        assert isinstance(ping, Ping)
        self.hear(self.wire.answer(ping, Pong(ping.n, T)))

    @property
    def texts(self) -> list[tuple[str, str]]:
        return [(name, text) for _, name, text in self.push.conversation]


# Logging in.


def test_the_push_port_speaks_first() -> None:
    assert PickleRelayPush().opened(0.0) == [Local((b"cmd:2           ok",))]
    assert PickleRelaySubmit().opened(0.0) == PickleRelayWire().opened(0.0) == []


def test_each_side_logs_in_its_own_way() -> None:
    connect = command("connect", " ann@hku.hk ")
    name = "ann_40_hku.hk"
    assert PickleRelayPush().feed(connect, 0.0) == [Login(1, name, client="pickle_relay", waiting="direct")]
    assert PickleRelaySubmit().feed(connect, 0.0) == [Login(1, name, client="pickle_relay", watch=False, pair=True)]
    assert PickleRelayWire().feed(connect, 0.0) == [Login(1, name, client="pickle_relay", waiting="direct", pair=True)]


def test_the_acceptance_is_the_whole_conversation() -> None:
    side = PushSide(())
    assert side.history == GetHistory(3, ToGlobal(), limit=500)
    assert side.push.commands == [("ok",)]
    assert (side.push.lists, side.push.conversation) == (1, [])
    side = PushSide((said(5, "one"), said(6, "two", ANN)))
    assert side.push.conversation == [((T + 5) / 1e6, "bob@hku.hk", "one"), ((T + 6) / 1e6, "ann", "two")]


def test_who_cannot_have_the_past_is_accepted_without_it() -> None:
    wire = PickleRelayPush()
    (login,) = wire.feed(command("connect", "ann"), 0.0)
    wire.answer(request_of(login), Welcome(1, 7, ANN, "guest", 9))
    _, history = wire.take_follow_ups()
    push = RelayPush()
    for chunk in (command("ok"), *wire.answer(history, Refused(2, Code.STORE_UNAVAILABLE, "Not now."))):
        assert isinstance(chunk, bytes)
        push.hear(chunk)
    assert push.lists == 1


@pytest.mark.parametrize("code", [Code.NAME_IN_USE, Code.NAME_CLAIMED, Code.NAME_INVALID])
def test_a_name_that_cannot_be_had(code: Code) -> None:
    for kind in (PickleRelayPush, PickleRelayWire):
        wire = kind()
        (login,) = wire.feed(command("connect", "ann"), 0.0)
        assert wire.answer(request_of(login), Refused(1, code, "")) == (command("username_taken", "ann"),)
        assert wire.is_over
        assert wire.feed(command("shutdown"), 0.0) == []


def test_a_submit_side_without_a_push_side_is_closed_without_a_word() -> None:
    for reply in (Welcome(1, 7, ANN, "guest", 9), Refused(1, Code.NAME_IN_USE, "")):
        wire = PickleRelaySubmit()
        (login,) = wire.feed(command("connect", "ann"), 0.0)
        assert wire.answer(request_of(login), reply) == ()
        assert wire.is_over
        assert wire.take_follow_ups() == []


def test_on_a_shared_port_the_first_connection_is_the_push_side() -> None:
    side = PushSide((said(5, "one"),), PickleRelayWire)
    assert side.push.commands == [("ok",)]
    assert side.texts == [("bob@hku.hk", "one")]


def submit_side(kind: type[PickleRelayWire] = PickleRelaySubmit) -> PickleRelayWire:
    wire = kind()
    (login,) = wire.feed(command("connect", "ann"), 0.0)
    assert wire.answer(request_of(login), Welcome(1, 7, ANN, "guest", 9, text=PAIRED)) == ()
    assert wire.take_follow_ups() == []
    return wire


# The submit side.


@pytest.mark.parametrize("kind", [PickleRelaySubmit, PickleRelayWire])
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [(1.5, "eve", "hi"), [0, None, "hi"], "hi", "h\x00i\x1f\x7f"])
def test_messages_are_global_whoever_they_say_they_are_from(
    kind: type[PickleRelayWire], protocol: int, value: object
) -> None:
    assert submit_side(kind).feed(message(value, protocol), 0.0) == [Post(2, ToGlobal(), "hi")]


@pytest.mark.parametrize(
    "data",
    [
        message(("hi",)),
        message({"text": "hi"}),
        message(b"hi"),
        message(7),
        message(""),
        command("dance"),
        command("connect", "eve"),
        command("disconnect", "now"),
        b"msg:2           hi",
    ],
)
def test_frames_that_mean_nothing_are_dropped(data: bytes) -> None:
    wire = submit_side()
    assert wire.feed(data + message("hi"), 0.0) == [Local(()), Post(2, ToGlobal(), "hi")]


def test_nothing_counts_before_the_name() -> None:
    for data in (message("hi"), command("shutdown"), command("disconnect"), command("connect", " ")):
        assert PickleRelaySubmit().feed(data, 0.0) == [Local(())]


def test_disconnect() -> None:
    wire = submit_side()
    (logout,) = wire.feed(command("disconnect"), 0.0)
    assert isinstance(logout, Logout)
    assert wire.answer(logout, Ok(logout.n)) == ()
    assert wire.is_over


def test_shutdown() -> None:
    wire = submit_side()
    (shutdown,) = wire.feed(command("shutdown"), 0.0)
    assert isinstance(shutdown, Shutdown)
    assert wire.answer(shutdown, Ok(shutdown.n)) == ()
    assert wire.answer(shutdown, Refused(shutdown.n, Code.NOT_ALLOWED, "")) == (command("shutdown_refused"),)


def test_nothing_else_is_ever_said_on_the_submit_port() -> None:
    wire = submit_side()
    (post,) = wire.feed(message("hi"), 0.0)
    assert wire.answer(request_of(post), Ok(2, 5, T)) == ()
    assert wire.answer(request_of(post), Refused(2, Code.STORAGE_FULL, "")) == ()
    assert wire.answer(None, Bye(Code.STOPPING, "")) == ()


# The push side.


def test_news_are_sent_with_the_whole_list() -> None:
    side = PushSide((said(5, "one"),))
    side.tell(said(6, "two", ANN), 10.0, Role.AUTHOR)
    side.tell(said(7, "three", where=Broadcast()), 10.0)
    side.tell(said(8, "psst", where=Direct((ANN, BOB))), 10.0)
    side.tell(said(9, "crew only", where=CREW), 10.0)
    assert side.wire.next_deadline() == 10.0
    (ping,) = side.pass_time(10.0)
    side.be_read(ping)
    assert side.texts == [
        ("bob@hku.hk", "one"),
        ("ann", "two"),
        ("bob@hku.hk", "three"),
        ("bob@hku.hk", "[private] psst"),
        ("bob@hku.hk", "[crew] crew only"),
    ]
    assert side.push.lists == 2
    assert side.pass_time(99.0) == []


def test_lists_are_half_a_second_apart() -> None:
    side = PushSide(())
    side.tell(said(5, "one"), 10.0)
    side.be_read(*side.pass_time(10.0))
    side.tell(said(6, "two"), 10.1)
    assert side.wire.next_deadline() == 10.0 + LIST_INTERVAL_S
    assert side.feed(b"", 10.4) == []
    side.be_read(*side.pass_time(10.5))
    assert side.texts == [("bob@hku.hk", "one"), ("bob@hku.hk", "two")]


def test_a_list_that_could_not_be_sent_yet_is_replaced() -> None:
    """While the peer doesn't read, the server doesn't get to the wire's question."""
    side = PushSide(())
    side.tell(said(5, "one"), 10.0)
    (ping,) = side.pass_time(10.0)
    for number in range(6, 100):
        side.tell(said(number, "more"), 10.0 + number)
        assert side.pass_time(10.0 + number) == []
    side.be_read(ping)
    assert (side.push.lists, len(side.push.conversation)) == (2, 95)
    assert side.wire.next_deadline() is None


def test_what_is_told_before_the_past_is_known_is_merged_with_it() -> None:
    wire, push = PickleRelayPush(), RelayPush()
    (login,) = wire.feed(command("connect", "ann"), 0.0)
    wire.answer(request_of(login), Welcome(1, 7, ANN, "guest", 9, catching_up=True))
    _, history = wire.take_follow_ups()
    wire.tell(said(11, "new"), Role.OTHER, 1.0)
    wire.answer(None, CatchUp((said(4, "waited", where=Direct((ANN, BOB))),), 9))
    assert wire.next_deadline() is None
    for chunk in (
        command("ok"),
        *wire.answer(history, History(2, (said(3, "old"), said(5, "older"), said(11, "new")))),
    ):
        assert isinstance(chunk, bytes)
        push.hear(chunk)
    assert [text for _, _, text in push.conversation] == ["old", "[private] waited", "older", "new"]


def test_what_waited_comes_with_the_next_list() -> None:
    side = PushSide((said(5, "one"),))
    side.hear(side.wire.answer(None, CatchUp((said(4, "waited"),), 9)))
    deadline = side.wire.next_deadline()
    assert deadline is not None
    side.be_read(*side.pass_time(deadline))
    assert side.texts == [("bob@hku.hk", "waited"), ("bob@hku.hk", "one")]


@pytest.mark.parametrize(
    ("cause", "notice"),
    [("left", "disconnected"), ("lost", "unexpectedly disconnected"), ("kicked", "disconnected")],
)
def test_leaving_is_told_apart_from_being_lost(cause: str, notice: str) -> None:
    side = PushSide(())
    side.tell(UserLeft(12, T, BOB, cause), 10.0)
    assert side.push.commands[-1] == ("client_disconnected", "bob@hku.hk", f"{S}.250000")
    side.be_read(*side.pass_time(10.0))
    assert side.push.conversation == [(T / 1e6, "SERVER", f"User bob@hku.hk {notice}")]


def test_the_leaver_is_not_told() -> None:
    side = PushSide(())
    side.tell(UserLeft(12, T, ANN, "left"), 10.0, Role.AUTHOR)
    assert side.push.commands == [("ok",)]
    assert side.wire.next_deadline() is None


def test_the_countdown_is_a_command_and_an_entry_with_the_servers_time() -> None:
    side = PushSide(())
    side.tell(StoppingIn(60), 5.0)
    assert side.push.commands[-1] == ("server_shutdown", "60")
    side.tell(Notice("mind the gap"), 6.0)
    side.hear(side.wire.answer(None, StoppingIn(30)))
    assert side.push.commands[-1] == ("server_shutdown", "30")
    side.be_read(*side.pass_time(6.0))
    assert [(round(time_s - T / 1e6, 3), name, text) for time_s, name, text in side.push.conversation] == [
        (5.0, "SERVER", "Server shutting down in 60 seconds..."),
        (6.0, "SERVER", "mind the gap"),
        (6.0, "SERVER", "Server shutting down in 30 seconds..."),
    ]


def test_last_words() -> None:
    side = PushSide(())
    side.hear(side.wire.answer(None, Bye(Code.STOPPING, "The server stops.")))
    assert side.push.commands[-1] == ("server_shutdown", "0")
    assert side.wire.is_over
    assert PushSide(()).wire.answer(None, Bye("left", "Goodbye.")) == ()


def test_texts_have_no_control_characters() -> None:
    side = PushSide((said(5, "one\ntwo\x1f\x00\x7f" + "msg:3           "),))
    assert side.texts == [("bob@hku.hk", "one twomsg:3           ")]


def test_the_conversation_has_a_limit() -> None:
    side = PushSide(())
    for number in range(100):
        side.tell(said(number + 10, f"{number} " + "x" * 10_000), 10.0)
    side.be_read(*side.pass_time(10.0))
    kept = [text.partition(" ")[0] for _, text in side.texts]
    assert kept == [str(number) for number in range(100 - len(kept), 100)]
    assert len(kept) == MAX_KEPT_BYTES // 10_040


def test_what_has_no_number_stays_in_its_place() -> None:
    kept = KeptConversation()
    kept.append(b"five", 5)
    kept.append(b"unnumbered")
    kept.append(b"nine", 9)
    kept.merge([(2, b"two"), (7, b"seven"), (9, b"nine")])
    assert kept.pickled() == b"\x80\x02](twofiveunnumberedsevenninee."


def test_an_impossible_header_ends_it() -> None:
    wire = submit_side()
    *_, fault = wire.feed(command("shutdown") + b"x" * 16, 0.0)
    assert isinstance(fault, ProtocolError)
    assert wire.feed(pickle_frames.command("shutdown"), 0.0) == []
