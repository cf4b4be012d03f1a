"""Names that are somebody's, and who keeps the peace: with a real server, real hashes and the bytes of the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mysticproto.errors import Code
from mysticproto.model import (
    AccountClaimed,
    Ban,
    Delete,
    Edit,
    Found,
    GetHistory,
    GetReceipts,
    History,
    Kick,
    Login,
    Mark,
    Marked,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
    Mute,
    Ok,
    Receipts,
    Refused,
    Search,
    SetPassword,
    Shutdown,
    StoppingIn,
    ToGlobal,
    ToUsers,
    UserLeft,
    Welcome,
    conversation_key,
)
from tests.support.native_peer import NativePeer
from tests.support.server_process import ServerProcess, running_server

SECRET = "correct horse battery staple"
WRONG = "incorrect horse battery"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path, "--operator", "olga") as server:
        yield server


def connect(server: ServerProcess) -> NativePeer:
    return NativePeer((server.host, server.port))


def done(peer: NativePeer, reply: Ok | Refused) -> Ok:
    assert isinstance(reply, Ok), reply
    return reply


def refused(reply: object) -> str:
    assert isinstance(reply, Refused), reply
    return reply.code


def registers(peer: NativePeer) -> None:
    done(peer, peer.ask(Ok, lambda n: SetPassword(n, SECRET)))


def operator(server: ServerProcess) -> NativePeer:
    olga = connect(server)
    olga.log_in("olga", Ed25519PrivateKey.generate())
    olga.wait_for(AccountClaimed, lambda event: event.user.name == "olga" and event.role == "operator")
    return olga


def test_a_name_goes_with_its_password_to_other_devices_and_over_a_restart(server: ServerProcess) -> None:
    laptop, phone = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    with connect(server) as ana, connect(server) as bob:
        bob.log_in("bob")
        assert ana.log_in("ana").role == "guest"
        registers(ana)
        assert bob.wait_for(AccountClaimed).user.name == "ana"
        with connect(server) as other:
            assert refused(other.try_log_in("ana")) == Code.NAME_CLAIMED
            assert refused(other.try_log_in("ana", laptop)) == Code.NAME_CLAIMED
            welcome = other.log_in("ana", laptop, password=SECRET)
            assert welcome.has_password and welcome.role == "member"
    server.kill()
    server.start()
    with connect(server) as first, connect(server) as second, connect(server) as third:
        assert first.log_in("ana", laptop).role == "member"
        assert refused(third.try_log_in("ana", phone)) == Code.NAME_CLAIMED
        assert second.log_in("ana", phone, password=SECRET).has_password


def test_a_stolen_data_folder_has_no_password_in_it(server: ServerProcess) -> None:
    with connect(server) as ana:
        ana.log_in("ana")
        registers(ana)
        with connect(server) as other:
            other.log_in("ana", password=SECRET)
            assert refused(other.try_log_in("ana", password=WRONG)) == Code.ALREADY_LOGGED_IN
        with connect(server) as thief:
            assert refused(thief.try_log_in("ana", password=WRONG)) == Code.WRONG_PASSWORD
    server.stop()
    kept = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in kept
    for secret in (SECRET, WRONG):
        assert secret.encode() not in kept and secret.encode("utf-16-le") not in kept
        assert secret not in server.printed()


def test_guessing_gets_slower_and_ends_the_connection(server: ServerProcess) -> None:
    with connect(server) as ana:
        ana.log_in("ana")
        registers(ana)
        with connect(server) as guesser, connect(server) as other:
            for _ in range(3):
                assert refused(guesser.try_log_in("ana", password=WRONG)) == Code.WRONG_PASSWORD
            bye = guesser.read_to_end()
            assert bye and bye.code == Code.TOO_MANY_ATTEMPTS
            assert refused(other.try_log_in("nobody", password=WRONG)) == Code.WRONG_PASSWORD
        with connect(server) as one, connect(server) as two:
            for each in (one, two):
                each.send(login(each, "ana", WRONG))
            for each in (one, two):
                assert refused(each.answer(Welcome, 1)) == Code.WRONG_PASSWORD
        with connect(server) as late:
            codes = {refused(late.try_log_in("ana", password=WRONG)) for _ in range(2)}
            assert codes <= {Code.TOO_MANY_ATTEMPTS, Code.WRONG_PASSWORD}
        assert "not let in as ana (wrong password)" in server.printed()


def login(peer: NativePeer, name: str, password: str) -> Login:
    return Login(peer.next_n(), name, password=password)


def test_an_operator_removes_mutes_and_bans(server: ServerProcess) -> None:
    with operator(server) as olga, connect(server) as ana, connect(server) as bob:
        ana.log_in("ana")
        bob.log_in("bob")
        assert refused(bob.ask(Ok, lambda n: Kick(n, "ana"))) == Code.NOT_ALLOWED
        done(olga, olga.ask(Ok, lambda n: Mute(n, "ana", 600, "shouting")))
        assert refused(ana.try_post("hi")) == Code.MUTED
        done(olga, olga.ask(Ok, lambda n: Kick(n, "ana", "spam")))
        bye = ana.read_to_end()
        assert bye and (bye.code, bye.text) == (Code.KICKED, "olga has removed you: spam")
        assert bob.wait_for(Moderated, lambda event: event.act == "kick").target == "ana"
        assert bob.wait_for(UserLeft).cause == "kicked"
        done(olga, olga.ask(Ok, lambda n: Ban(n, "ana", 0, "spam")))
        assert refused(olga.ask(Ok, lambda n: Ban(n, "127.0.0.0/8"))) == Code.NOT_ALLOWED
    server.stop()
    server.start()
    with connect(server) as ana:
        assert refused(ana.try_log_in("ana")) == Code.BANNED
        last = ana.read_to_end()
        assert last and last.code == Code.BANNED


def test_a_countdown_is_taken_back(server: ServerProcess) -> None:
    with operator(server) as olga, connect(server) as ana:
        ana.log_in("ana")
        done(olga, olga.ask(Ok, Shutdown))
        assert ana.wait_for(StoppingIn).seconds == 60
        done(olga, olga.ask(Ok, lambda n: Shutdown(n, cancel=True)))
        assert ana.wait_for(StoppingIn).seconds == 0
        ana.post("still here")


def test_only_names_that_are_somebody_s_come_in_where_the_settings_say_so(tmp_path: Path) -> None:
    with running_server(tmp_path, "--auth", "claimed") as server, connect(server) as ana:
        assert refused(ana.try_log_in("ana")) == Code.CLAIM_REQUIRED
        assert ana.log_in("ana", Ed25519PrivateKey.generate()).role == "member"


def test_messages_are_changed_found_and_known_to_be_read(server: ServerProcess) -> None:
    with connect(server) as ana, connect(server) as bob:
        ana.log_in("ana")
        bob.log_in("bob")
        first, second = ana.post("the quick brwn fox").seq, ana.post("a lazy dog").seq
        done(ana, ana.ask(Ok, lambda n: Edit(n, first, "the quick brown fox")))
        done(ana, ana.ask(Ok, lambda n: Delete(n, second)))
        assert bob.wait_for(MessageEdited).text == "the quick brown fox"
        assert bob.wait_for(MessageDeleted).message == second
        found = bob.ask(Found, lambda n: Search(n, "brown"))
        assert isinstance(found, Found) and [each.seq for each in found.hits] == [first]
        page = bob.ask(History, lambda n: GetHistory(n, ToGlobal(), around=first, limit=10))
        assert isinstance(page, History)
        assert [each.text for each in page.events if isinstance(each, Message)] == ["the quick brown fox", ""]
        seq = ana.post("psst", ToUsers(("bob",))).seq
        conversation = conversation_key(bob.hear("psst").conversation)
        done(bob, bob.ask(Ok, lambda n: Mark(n, conversation, seq, seq)))
        marked = ana.wait_for(Marked)
        assert (marked.user.name, marked.delivered, marked.read) == ("bob", seq, seq)
        ana.ping()
    server.stop()
    server.start()
    with connect(server) as ana:
        ana.log_in("ana")
        receipts = ana.ask(Receipts, lambda n: GetReceipts(n, conversation))
        assert isinstance(receipts, Receipts)
        assert [(each.user.name, each.read) for each in receipts.marks] == [("ana", 0), ("bob", seq)]
