"""The login dialogue: passwords and keys, and how long somebody is kept waiting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.domain.decide import Rules
from mysticproto.errors import Code
from mysticproto.model import (
    AccountClaimed,
    Bye,
    Devices,
    ListDevices,
    Login,
    Logout,
    Ok,
    Ping,
    Pong,
    Post,
    Refused,
    RemoveDevice,
    SetPassword,
    ToGlobal,
    Welcome,
)
from tests.server.hub.rig import Client, Rig, new_key

SECRET = "correct horse"
WRONG = "wrong horse"
FAR = "9.9.9.9"


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def claimed(rig: Rig) -> None:
    """Ana has a password, and has gone."""
    ana = rig.comes("ana")
    ana.asks(SetPassword(2, SECRET), Logout(3))
    rig.settle()
    assert [ok.n for ok in ana.takes(Ok)] == [2, 3]


def tries(rig: Rig, name: str, password: str, client: Client | None = None, host: str = "") -> Client:
    """Asks to be let in with a password; time for the answer is the test's to give."""
    client = client or rig.connects(host=host)
    client.asks(client.login(name, password=password))
    rig.settle()
    return client


def codes(client: Client) -> list[str]:
    return [refused.code for refused in client.takes(Refused)]


# Setting one.


def test_a_guest_s_name_becomes_theirs_and_everybody_hears_it(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(SetPassword(2, SECRET))
    rig.settle()
    for client in (ana, bob):
        assert [(each.user.name, each.role) for each in client.takes(AccountClaimed)] == [("ana", "member")]
    assert [ok.n for ok in ana.takes(Ok)] == [2]
    assert rig.world.users[ana.peer.user].password == f"hash of {SECRET}"


def test_what_follows_waits_until_it_is_set(rig: Rig) -> None:
    ana = rig.comes("ana")
    rig.passwords.is_held = True
    ana.asks(SetPassword(2, SECRET), Ping(3))
    rig.settle()
    assert ana.takes(Pong) == []
    rig.passwords.answers()
    rig.settle()
    assert [pong.n for pong in ana.takes(Pong)] == [3]


@pytest.mark.parametrize("password", ["short", "x" * 129, "anastasia"])
def test_an_unfit_one_is_refused_without_being_repeated(rig: Rig, password: str) -> None:
    ana = rig.comes("Anastasia")
    ana.asks(SetPassword(2, password))
    rig.settle()
    refused = ana.takes(Refused)[0]
    assert refused.code == Code.PASSWORD_UNFIT and password not in refused.text


def test_who_has_gone_meanwhile_has_none(rig: Rig) -> None:
    ana = rig.comes("ana")
    rig.passwords.is_held = True
    ana.asks(SetPassword(2, SECRET))
    rig.settle()
    ana.goes()
    rig.settle()
    rig.passwords.answers()
    rig.settle()
    assert not next(iter(rig.world.users.values())).is_claimed


@pytest.mark.usefixtures("claimed")
def test_without_a_child_the_sentence_says_so(rig: Rig) -> None:
    bob = rig.comes("bob")
    rig.passwords.is_down = True
    bob.asks(SetPassword(2, SECRET), Ping(3))
    rig.settle()
    assert codes(bob) == [Code.PASSWORDS_UNAVAILABLE] and bob.takes(Pong)
    assert codes(tries(rig, "ana", SECRET)) == [Code.PASSWORDS_UNAVAILABLE]


# Using one.


@pytest.mark.usefixtures("claimed")
def test_the_right_one_lets_in(rig: Rig) -> None:
    welcome = tries(rig, "ANA", SECRET).takes(Welcome)[0]
    assert (welcome.user.name, welcome.role, welcome.has_password) == ("ana", "member", True)


@pytest.mark.usefixtures("claimed")
def test_the_device_belongs_to_the_name_from_then_on(rig: Rig) -> None:
    key = new_key()
    device = rig.comes("ana", key, password=SECRET)
    device.asks(ListDevices(2))
    rig.settle()
    assert [(each.key, each.here) for each in device.takes(Devices)[0].devices] == [
        (key.public_key().public_bytes_raw(), True)
    ]
    device.goes()
    rig.settle()
    assert rig.comes("ana", key).takes(Welcome)


@pytest.mark.usefixtures("claimed")
def test_a_wrong_one_is_answered_after_a_while_and_shown_to_the_operator(rig: Rig) -> None:
    client = tries(rig, "ana", WRONG)
    assert codes(client) == []
    rig.wait(1.05)
    assert codes(client) == [Code.WRONG_PASSWORD]
    assert "ana not let in: wrong password" in rig.witness.lines
    assert tries(rig, "ana", SECRET, client).takes(Welcome)


@pytest.mark.usefixtures("claimed")
def test_nobody_else_waits_meanwhile(rig: Rig) -> None:
    tries(rig, "ana", WRONG)
    bob = rig.comes("bob")
    assert bob.takes(Welcome)


@pytest.mark.usefixtures("claimed")
def test_three_wrong_ones_end_the_connection(rig: Rig) -> None:
    client = rig.connects()
    client.asks(*(client.login("ana", n=n, password=WRONG) for n in range(1, 6)))
    rig.wait(0.9)
    heard = []
    for _ in range(8):
        rig.wait(1.0)
        heard.append(len(codes(client)))
    assert heard == [1, 0, 1, 0, 0, 0, 1, 0]
    assert [bye.code for bye in client.takes(Bye)] == [Code.TOO_MANY_ATTEMPTS] and client.is_at_end


@pytest.mark.usefixtures("claimed")
def test_unknown_names_and_names_without_one_get_the_same_answer(rig: Rig) -> None:
    rig.comes("guest").goes()
    rig.comes("member", new_key()).goes()
    rig.settle()
    answers = []
    for name in ("ana", "guest", "member", "nobody"):
        client = tries(rig, name, WRONG)
        assert codes(client) == []
        rig.wait(1.05)
        refused = client.takes(Refused)[0]
        answers.append((refused.code, refused.text))
    assert len(set(answers)) == 1 and answers[0][0] == Code.WRONG_PASSWORD
    assert [hash for hash, _ in rig.passwords.checked] == [f"hash of {SECRET}", "", "", ""]
    assert rig.world.user_named("nobody") is None


@pytest.mark.usefixtures("claimed")
def test_a_known_device_needs_no_password_and_never_waits(rig: Rig) -> None:
    key = new_key()
    rig.comes("ana", key, password=SECRET).goes()
    for _ in range(7):
        tries(rig, "ana", WRONG)
    assert codes(tries(rig, "ana", SECRET)) == [Code.TOO_MANY_ATTEMPTS]
    asked = len(rig.passwords.checked)
    assert rig.comes("ana", key, password=WRONG).takes(Welcome)
    assert len(rig.passwords.checked) == asked


@pytest.mark.usefixtures("claimed")
def test_a_name_has_five_free_guesses_whoever_makes_them(rig: Rig) -> None:
    for at in range(5):
        tries(rig, "ana", WRONG, host=f"9.9.9.{at}")
    client = tries(rig, "ana", SECRET, host=FAR)
    refused = client.takes(Refused)[0]
    assert refused.code == Code.TOO_MANY_ATTEMPTS and "1 second" in refused.text
    rig.wait(1.05)
    assert tries(rig, "ana", SECRET, client).takes(Welcome)


def test_an_address_has_ten_a_minute(rig: Rig) -> None:
    for at in range(10):
        tries(rig, f"name{at}", WRONG, host=FAR)
    assert codes(tries(rig, "another", WRONG, host=FAR)) == [Code.TOO_MANY_ATTEMPTS]
    assert codes(tries(rig, "another", WRONG, host="8.8.8.8")) == []


@pytest.mark.usefixtures("claimed")
def test_who_has_gone_while_it_was_checked_is_not_let_in(rig: Rig) -> None:
    rig.passwords.is_held = True
    for password in (SECRET, WRONG):
        client = tries(rig, "ana", password)
        client.goes()
        rig.settle()
    rig.passwords.answers()
    rig.wait(2.0)
    assert not rig.world.sessions


@pytest.mark.usefixtures("claimed")
def test_a_password_that_was_changed_meanwhile_is_wrong(rig: Rig) -> None:
    ana = rig.comes("ana", password=SECRET)
    rig.passwords.is_held = True
    late = tries(rig, "ana", SECRET)
    rig.passwords.is_held = False
    ana.asks(SetPassword(2, "another horse"))
    rig.settle()
    rig.passwords.answers()
    rig.wait(1.05)
    assert codes(late) == [Code.WRONG_PASSWORD]


@pytest.mark.usefixtures("claimed")
def test_a_hash_of_less_cost_is_replaced_at_login(rig: Rig) -> None:
    rig.passwords.renewed = "better hash"
    assert rig.comes("ana", password=SECRET).takes(Welcome)
    user = rig.world.user_named("ana")
    assert user and user.password == "better hash"


@pytest.mark.usefixtures("claimed")
def test_a_better_hash_does_not_bring_back_a_password_that_is_being_changed(rig: Rig) -> None:
    ana = rig.comes("ana", password=SECRET)
    rig.log.is_held = True
    ana.asks(SetPassword(2, "another horse"))
    rig.settle()
    rig.passwords.renewed = "better hash"
    late = tries(rig, "ana", SECRET)
    rig.log.is_held = False
    rig.settle()
    assert late.takes(Welcome)
    user = rig.world.user_named("ana")
    assert user and user.password == "hash of another horse"


def test_a_name_that_can_t_be_one_is_refused_at_once(rig: Rig) -> None:
    assert codes(tries(rig, "x" * 10_000, SECRET)) == [Code.NAME_INVALID]
    assert rig.passwords.checked == []


# In the clear.


def test_where_passwords_must_be_encrypted_they_are_refused_in_the_clear() -> None:
    with Rig(encrypts_passwords=True) as rig:
        near, far = rig.comes("near"), rig.comes("far", host=FAR)
        for client in (near, far):
            client.asks(SetPassword(2, SECRET))
        rig.settle()
        assert [ok.n for ok in near.takes(Ok)] == [2]
        assert codes(far) == [Code.TLS_REQUIRED]
        assert codes(tries(rig, "near", SECRET, host=FAR)) == [Code.TLS_REQUIRED]
        assert rig.passwords.checked == []


# New names.


def test_a_fourth_new_name_from_one_address_stays_a_guest_s_for_now(rig: Rig) -> None:
    keys = [new_key() for _ in range(4)]
    welcomes = [rig.comes(f"name{at}", key, host=FAR).takes(Welcome)[0] for at, key in enumerate(keys)]
    assert [welcome.role for welcome in welcomes] == ["member"] * 3 + ["guest"]
    assert "not yours yet" in welcomes[3].text
    guest = rig.comes("name5", host=FAR)
    guest.asks(SetPassword(2, SECRET))
    rig.settle()
    assert codes(guest) == [Code.TOO_MANY_ATTEMPTS]
    assert rig.comes("name0", keys[0], host=FAR).takes(Welcome)[0].role == "member"


def test_a_login_that_is_refused_is_no_new_name(rig: Rig) -> None:
    rig.comes("guest")
    for _ in range(4):
        assert codes(rig.comes("guest", new_key(), host=FAR)) == [Code.NAME_IN_USE]
    assert rig.comes("ana", new_key(), host=FAR).takes(Welcome)[0].role == "member"


def test_where_guests_may_not_come_in_such_a_one_is_refused() -> None:
    with Rig(rules=Rules(claimed_only=True)) as rig:
        for at in range(3):
            assert rig.comes(f"name{at}", new_key(), host=FAR).takes(Welcome)
        assert codes(rig.comes("name3", new_key(), host=FAR)) == [Code.TOO_MANY_ATTEMPTS]
        assert codes(rig.comes("name4")) == [Code.CLAIM_REQUIRED]


# Operators.


def test_a_name_that_the_settings_name_is_an_operator_once_it_is_somebody_s() -> None:
    with Rig(rules=Rules(operators=frozenset({"ana", "bob"}))) as rig:
        assert codes(rig.comes("ana", new_key(), host=FAR)) == [Code.NAME_CLAIMED]
        ana = rig.comes("ana", new_key())
        assert [each.role for each in ana.takes(AccountClaimed)] == ["operator"]
        bob = rig.comes("bob")
        assert bob.takes(AccountClaimed) == []
        bob.asks(SetPassword(2, SECRET))
        rig.settle()
        assert [each.role for each in bob.takes(AccountClaimed)] == ["member", "operator"]


def test_at_the_start_the_names_that_are_new_in_the_settings_become_operators(rig: Rig) -> None:
    rig.comes("ana", new_key())
    with Rig(log=rig.log, rules=Rules(operators=frozenset({"ana"}))) as second:
        second.gateway.logins.keep_operators()
        second.settle()
        user = second.world.user_named("ana")
        assert user and user.role == "operator"


# The end of a device.


@pytest.mark.usefixtures("claimed")
def test_who_removes_their_own_device_is_answered_and_then_told_goodbye(rig: Rig) -> None:
    keys = [new_key(), new_key()]
    one, other = (rig.comes("ana", key, password=SECRET) for key in keys)
    one.asks(*(RemoveDevice(2 + at, key.public_key().public_bytes_raw()) for at, key in enumerate(reversed(keys))))
    one.asks(Post(4, ToGlobal(), "too late"))
    rig.settle()
    assert [ok.n for ok in one.takes(Ok)] == [2, 3]
    assert [bye.code for client in (one, other) for bye in client.takes(Bye)] == [Code.DEVICE_REMOVED] * 2
    assert one.is_at_end and other.is_at_end
    assert not rig.world.sessions


def test_who_is_here_already_is_not_asked_for_a_password(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(Login(2, "bob", password=SECRET))
    rig.settle()
    assert codes(ana) == [Code.ALREADY_LOGGED_IN] and rig.passwords.checked == []
