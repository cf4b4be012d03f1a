"""Coming and going: names, several sessions, taking over, being lost and coming back."""

from __future__ import annotations

import pytest

from mystic_server.domain.events import Joined, Left, LingerEnded, NodeStarted
from tests.support.transcript import START_US, Room, create, join, leave, log_out, say, say_in

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


@pytest.fixture
def room() -> Room:
    return Room()


def test_everybody_but_the_newcomer_is_told(room: Room) -> None:
    room.comes("ana")
    room.comes("bob")
    room.went("""
        ana is echoed ana joined
        ana is welcome as ana, guest
        ana hears bob joined
        bob is echoed bob joined
        bob is welcome as bob, guest
    """)


def test_people_in_groups_are_told_too(room: Room) -> None:
    room.comes("ana") >> create("team")
    room.forget()
    room.comes("bob").ends("lost")
    room.went("""
        ana hears bob joined
        bob is echoed bob joined
        bob is welcome as bob, guest
        ana hears bob left: lost
    """)


@pytest.mark.parametrize("cause", ["left", "lost", "kicked"])
def test_it_is_told_why_somebody_left(room: Room, cause: str) -> None:
    room.comes("ana")
    bob = room.comes("bob")
    room.forget()
    bob.ends(cause)
    room.went(f"ana hears bob left: {cause}")


def test_a_server_that_stops_says_so_itself(room: Room) -> None:
    room.comes("ana")
    bob = room.comes("bob")
    room.forget()
    bob.ends("stopped")
    room.went("")
    assert not room.world.is_here(2)


def test_logging_out_is_answered(room: Room) -> None:
    room.comes("ana") >> log_out()
    room.comes("bob")
    room.went("""
        ana is echoed ana joined
        ana is welcome as ana, guest
        ana gets ok 2
        bob is echoed bob joined
        bob is welcome as bob, guest
    """)


def test_a_guest_s_name_in_use_is_refused(room: Room) -> None:
    room.comes("Ana")
    room.comes("ana")
    room.comes("ANA", KEY)
    room.went("""
        Ana is echoed Ana joined
        Ana is welcome as Ana, guest
        ana is refused: name_in_use
        ANA is refused: name_in_use
    """)


def test_a_key_claims_a_free_name_for_ever(room: Room) -> None:
    room.comes("dora", KEY).ends("left")
    room.comes("dora", label="guest")
    room.comes("DORA", OTHER_KEY, label="other")
    room.comes("DORA", KEY, label="again")
    room.went("""
        dora is echoed dora joined
        dora is welcome as dora, member
        guest is refused: name_claimed
        other is refused: name_claimed
        again is echoed dora joined
        again is welcome as dora, member
    """)


def test_a_key_claims_a_name_that_guests_used(room: Room) -> None:
    room.comes("dora", label="guest").ends("left")
    room.comes("Dora", KEY)
    room.comes("dora", label="late guest")
    room.went("""
        guest is echoed dora joined
        guest is welcome as dora, guest
        Dora is echoed Dora joined
        Dora is welcome as Dora, member
        late guest is refused: name_claimed
    """)


def test_who_takes_an_unclaimed_name_is_the_same_user_from_then_on(room: Room) -> None:
    room.comes("bob").ends("left")
    room.comes("Bob")
    user = room.world.users[1]
    assert (user.id, user.name, user.since) == (1, "Bob", 3)
    assert list(room.world.user_ids) == ["bob"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("straße", "STRASSE"), ("Ångström", "A\u030angstro\u0308m"), ("жук", "ЖУК"), ("Ana.B", "ana.b")],
)
def test_names_are_compared_without_case_and_composition(room: Room, first: str, second: str) -> None:
    room.comes(first, label="first")
    room.forget()
    room.comes(second, label="second")
    room.went("second is refused: name_in_use")


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "..", "server", "5erver", "a\x1b[2J", "аna", "x" * 33, "a/b", "\ud800"]
)
def test_what_can_t_be_a_name_is_refused(room: Room, name: str) -> None:
    room.comes(name, label="it")
    room.went("it is refused: name_invalid")


# Several sessions of one user.


def test_only_the_first_session_is_announced_and_only_the_last_is_missed(room: Room) -> None:
    room.comes("ana")
    room.forget()
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one.ends("lost")
    two.ends("left")
    room.went("""
        ana hears dora joined
        dora is echoed dora joined
        dora is welcome as dora, member
        dora/2 is welcome as dora, member
        ana hears dora left: left
    """)


def test_sessions_that_act_are_never_announced(room: Room) -> None:
    room.comes("ana")
    room.forget()
    room.comes("bot", watch=False).ends("left")
    member = room.comes("dora", KEY)
    room.comes("dora", KEY, watch=False, label="bot/2").ends("lost")
    member.ends("left")
    room.went("""
        bot is welcome as bot, guest
        ana hears dora joined
        dora is echoed dora joined
        dora is welcome as dora, member
        bot/2 is welcome as dora, member
        ana hears dora left: left
    """)


def test_who_acts_is_not_here_and_not_seen(room: Room) -> None:
    room.comes("bot", watch=False).ends("left")
    assert room.world.users[1].last_seen_us == 0
    assert room.world.users_here() == []
    room.comes("ana").ends("left")
    assert room.world.users[3].last_seen_us == START_US + 4_000_000


def test_there_is_a_limit_of_sessions(room: Room) -> None:
    sessions = [room.comes("dora", KEY) for _ in range(10)]
    room.forget()
    room.comes("dora", KEY, label="one more")
    room.comes("dora", KEY, label="acting", watch=False, resume=sessions[0])
    room.comes("dora", KEY, label="instead", resume=sessions[0])
    room.went("""
        one more is refused: too_many_sessions
        acting is refused: too_many_sessions
        dora must go: replaced
        instead is welcome as dora, member
    """)


# Taking a session over.


def test_a_device_takes_its_living_session_over_with_its_focus(room: Room) -> None:
    ana, old = room.comes("ana"), room.comes("dora", KEY)
    old >> create("team")
    room.forget()
    new = room.comes("dora", KEY, label="new", resume=old)
    ana >> say("global")
    new >> say_in("", "still here")
    room.went("""
        dora must go: replaced
        new is welcome as dora, member, in team
        ana is echoed [GLOBAL] ana: global
        ana gets ok 5
        new is echoed [team] dora: still here
        new gets ok 6
    """)


def test_the_loss_of_a_session_that_was_taken_over_means_nothing(room: Room) -> None:
    room.comes("ana")
    old = room.comes("dora", KEY)
    loss = Left(old.session, "lost", 2)
    room.comes("dora", KEY, label="new", resume=old)
    room.forget()
    room.commit(loss)
    room.went("")
    assert room.world.is_here(2)


def test_nobody_takes_over_another_user_s_session(room: Room) -> None:
    dora = room.comes("dora", KEY)
    dora >> create("team")
    room.forget()
    room.comes("eve", OTHER_KEY, resume=dora)
    room.went("""
        dora hears eve joined
        eve is echoed eve joined
        eve is welcome as eve, member
    """)
    dora.ends("lost")
    room.forget()
    room.comes("mallory", OTHER_KEY, resume=dora)
    room.went("""
        eve hears mallory joined
        mallory is echoed mallory joined
        mallory is welcome as mallory, member
    """)


def test_who_acts_takes_nothing_over(room: Room) -> None:
    dora = room.comes("dora", KEY)
    dora >> create("team")
    room.forget()
    room.comes("dora", KEY, label="bot", watch=False, resume=dora)
    room.went("bot is welcome as dora, member")
    assert dora.here.watch
    dora.ends("lost")
    room.comes("dora", KEY, label="bot/2", watch=False, resume=dora)
    room.forget()
    room.comes("dora", KEY, label="back", resume=dora)
    room.went("""
        back is echoed dora returned
        back is welcome as dora, member, in team
    """)


def test_a_session_that_only_acted_was_not_here_before(room: Room) -> None:
    bot = room.comes("dora", KEY, watch=False, label="bot")
    room.comes("dora", KEY, resume=bot)
    room.went("""
        bot is welcome as dora, member
        dora is echoed dora joined
        bot must go: replaced
        dora is welcome as dora, member
    """)


# Lost, and back in time or not.


def test_a_lost_member_keeps_room_and_focus(room: Room) -> None:
    ana, dora = room.comes("ana"), room.comes("dora", KEY)
    dora >> create("team")
    ana >> join("team", focus=False)
    room.forget()
    dora.ends("lost")
    ana >> say_in("team", "dora?")
    room.comes("dora", KEY, label="back", resume=dora)
    ana >> say("global")
    room.went("""
        ana hears dora left: lost
        ana is echoed [team] ana: dora?
        ana gets ok 6
        ana hears dora returned
        back is echoed dora returned
        back is welcome as dora, member, in team
        ana is echoed [GLOBAL] ana: global
        ana gets ok 8
    """)
    assert room.world.groups[3].owner == 2


def test_who_comes_without_naming_the_lost_session_has_the_room_but_not_its_focus(room: Room) -> None:
    dora = room.comes("dora", KEY)
    dora >> create("team")
    dora.ends("lost")
    room.forget()
    room.comes("dora", KEY, label="anew") >> say("where am I?")
    room.commit(LingerEnded(dora.session))
    room.went("""
        anew is echoed dora joined
        anew is welcome as dora, member
        anew is echoed [GLOBAL] dora: where am I?
        anew gets ok 5
    """)
    assert room.world.groups[2].members == [1]


def test_after_a_minute_the_room_is_left(room: Room) -> None:
    ana, dora = room.comes("ana"), room.comes("dora", KEY)
    dora >> create("team")
    ana >> join("team")
    dora.ends("lost")
    room.forget()
    room.commit(LingerEnded(dora.session))
    room.commit(LingerEnded(dora.session))
    room.went("ana hears dora left team: lost, ana owns it")
    assert room.world.groups[3].owner == 1
    room.comes("dora", KEY, label="late", resume=dora)
    room.went("""
        ana hears dora joined
        late is echoed dora joined
        late is welcome as dora, member
    """)


def test_rooms_last_as_long_as_the_last_lost_session_may_come_back(room: Room) -> None:
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one >> create("team")
    one.ends("lost")
    two.ends("lost")
    room.forget()
    room.commit(LingerEnded(one.session))
    assert room.world.groups
    room.commit(LingerEnded(two.session))
    assert not room.world.groups
    room.went("")


def test_saying_goodbye_gives_the_room_up_at_once(room: Room) -> None:
    room.comes("ana")
    dora = room.comes("dora", KEY)
    dora >> create("team")
    room.forget()
    dora >> log_out()
    room.went("""
        ana notices dora left team: left
        ana hears team is gone
        ana hears dora left: left
        dora gets ok 4
    """)


@pytest.mark.parametrize("lingers", [True, False])
def test_a_guest_who_is_lost_leaves_at_once(room: Room, lingers: bool) -> None:
    room.comes("ana")
    bob = room.comes("bob", lingers=lingers)
    bob >> create("team")
    room.forget()
    bob.ends("lost")
    room.went("""
        ana notices bob left team: lost
        ana hears team is gone
        ana hears bob left: lost
    """)


def test_a_member_on_an_older_wire_leaves_at_once(room: Room) -> None:
    dora = room.comes("dora", KEY, lingers=False)
    dora >> create("team")
    dora.ends("lost")
    assert not room.world.groups
    assert not room.world.lost


def test_a_room_that_was_left_elsewhere_is_no_focus_any_more(room: Room) -> None:
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one >> create("team")
    room.comes("ana") >> join("team")
    one.ends("lost")
    room.forget()
    two >> leave("team")
    room.comes("dora", KEY, label="back", resume=one)
    room.went("""
        ana hears dora left team: left, ana owns it
        dora/2 is echoed dora left team: left, ana owns it
        dora/2 gets ok 7
        back is welcome as dora, member
    """)


def test_a_room_joined_by_who_only_acts_is_left_with_the_last_word(room: Room) -> None:
    room.comes("ana")
    bot = room.comes("bot", watch=False)
    room.forget()
    bot >> create("team")
    bot.ends("left")
    room.went("""
        ana hears bot created team
        bot enters team of bot (bot)
        ana notices bot left team: left
        ana hears team is gone
    """)
    room.comes("bot", label="next")
    assert room.world.users[2].groups == []


def test_who_only_acts_does_not_linger(room: Room) -> None:
    bot = room.comes("dora", KEY, watch=False)
    bot >> create("team")
    bot.ends("lost")
    assert not room.world.lost
    assert not room.world.groups


# A new run of the server.


def test_a_new_run_ends_the_sessions_of_the_last(room: Room) -> None:
    ana, dora = room.comes("ana"), room.comes("dora", KEY)
    dora >> create("team")
    ana >> create("club")
    room.forget()
    room.commit(NodeStarted(node=1, epoch=2))
    assert not room.world.sessions
    assert [group.name for group in room.world.groups.values()] == ["team"]
    room.epoch = 2
    room.comes("ana", label="again")
    room.comes("dora", KEY, label="back", resume=dora)
    room.went("""
        again is echoed ana joined
        again is welcome as ana, guest
        again hears dora returned
        back is echoed dora returned
        back is welcome as dora, member, in team
    """)


def test_sessions_of_this_run_and_of_other_nodes_live_on(room: Room) -> None:
    room.comes("ana")
    room.commit(Joined(77, "far", node=2, epoch=9))
    room.commit(NodeStarted(node=1, epoch=1))
    assert len(room.world.sessions) == 2


def test_the_end_of_a_node_that_stopped_is_not_told_twice(room: Room) -> None:
    dora = room.comes("dora", KEY)
    dora.ends("stopped")
    assert room.world.lost[dora.session].lost_us == START_US + 2_000_000
    room.commit(NodeStarted(node=1, epoch=2))
    assert room.world.lost[dora.session].lost_us == START_US + 2_000_000
