"""Who a session is on its server, and on another one."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mystic_client.session.identity import Identity
from mystic_client.session.memory import Memory, Place
from mystic_client.session.pins import FILE, Pins
from mystic_client.session.standing import CLOSED, Standing
from mysticproto import model
from mysticproto.auth import login_challenge

ANA = model.UserRef(1, "ana")


def hello(server_id: bytes = b"server", nonce: bytes = b"nonce") -> model.Hello:
    return model.Hello(nonce, server_id, "", "")


def welcome(session: int, upto: int, *, catching_up: bool = False) -> model.Welcome:
    return model.Welcome(1, session, ANA, "member", upto, None, catching_up)


def login_of(here: Standing, greeting: model.Hello, n: int = 1) -> model.Login:
    here.greeted(greeting.server_id)
    return here.login(greeting, n)


def standing(memory: Memory | None = None, *, watch: bool = True) -> Standing:
    return Standing("ana", Identity(bytes(32)), memory, watch=watch, after=-1, resume=0)


def test_every_login_signs_the_nonce_of_its_connection() -> None:
    here = standing()
    for nonce in (b"one", b"two"):
        login = login_of(here, hello(nonce=nonce), 4)
        key = Ed25519PublicKey.from_public_bytes(login.key)
        key.verify(login.signature, login_challenge(nonce, b"server", "ana"))
        assert login.n == 4


def test_it_signs_the_key_that_the_server_shows() -> None:
    fingerprint = bytes(range(32)).hex(":")
    here = standing()
    here.greeted(b"server")
    login = here.login(hello(nonce=b"one"), 1, fingerprint)
    key = Ed25519PublicKey.from_public_bytes(login.key)
    key.verify(login.signature, login_challenge(b"one", b"server", "ana", fingerprint))


def test_a_later_login_takes_up_the_session_and_another_server_knows_nothing_of_it() -> None:
    here = standing()
    login = login_of(here, hello(), 1)
    assert (login.resume, login.after) == (0, -1)
    here.welcomed(welcome(70, 30))
    login = login_of(here, hello(), 2)
    assert (login.resume, login.after) == (70, 30)
    login = login_of(here, hello(b"other"), 3)
    assert (login.resume, login.after, here.server_id) == (0, -1, b"other")


def test_who_only_acts_takes_nothing_up_and_remembers_nothing(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    here = standing(memory, watch=False)
    login_of(here, hello(), 1)
    here.welcomed(welcome(70, 30))
    here.remember()
    login = login_of(here, hello(), 2)
    assert (login.watch, login.resume, login.after) == (False, 0, -1)
    here.close()
    again = standing(memory)
    assert login_of(again, hello()).resume == 0
    again.close()


def test_a_place_is_remembered_once_everything_before_it_came(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    here = standing(memory)
    here.remember()
    login_of(here, hello(), 1)
    here.welcomed(welcome(70, 30, catching_up=True))
    here.remember()
    assert login_of(standing(Memory(tmp_path)), hello()).after == -1
    here.order.caught_up(model.CatchUp((), 31))
    here.remember()
    here.close()
    again = standing(memory)
    login = login_of(again, hello())
    assert (login.resume, login.after) == (70, 31)
    again.close()


def test_a_list_of_known_servers_that_is_damaged_opens_nothing(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.open(b"server", "ana", ":".join(["0a"] * 32))
    memory.keep(Place(40, 7))
    (tmp_path / FILE).write_text("damaged\n")
    here = Standing("ana", None, memory, watch=True, after=-1, resume=0, pins=Pins(tmp_path))
    here.greeted(b"server", ":".join(["0b"] * 32))
    assert (here.take_notice(), here.take_notice()) == (CLOSED, "")
    assert here.order.cursor == -1
    here.close()
