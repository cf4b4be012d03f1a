"""What may be a password, which devices there are, and who may change what about a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.domain.decide_accounts import list_devices, password_refused
from mystic_server.domain.events import AccountDeleted
from mysticproto.errors import Code
from mysticproto.model import DeviceInfo, Refused
from tests.support.transcript import START_US, Room, delete_account, remove_device, set_role

KEY, OTHER, THIRD = b"k" * 32, b"o" * 32, b"t" * 32


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize("password", ["12345678", "correct horse", "x" * 128, "пароль77", "Ana-Mari"])
def test_a_password_that_fits(password: str) -> None:
    assert password_refused(1, "ana", password) is None


@pytest.mark.parametrize(
    "password", ["", "1234567", "x" * 129, "😀" * 128 + "x", "\ud800" * 9, "ana-maría", "ANA-MARÍA", "ana-mari\u0301a"]
)
def test_a_password_that_does_not(password: str) -> None:
    refused = password_refused(7, "Ana-María", password)
    assert refused and refused.n == 7 and refused.code == Code.PASSWORD_UNFIT
    assert refused.text.endswith(".") and "ana" not in refused.text.lower()


def test_a_password_has_a_limit_in_bytes() -> None:
    assert password_refused(1, "ana", "😀" * 128) is None
    assert password_refused(1, "ana", "👨‍👩‍👧" * 50)


@given(password=st.text(max_size=200))
def test_any_text_may_be_tried(password: str) -> None:
    refused = password_refused(1, "ana", password)
    assert refused is None or (len(password) < 8 or len(password) > 128 or len(password.encode()) > 512)


def test_devices_are_listed_the_first_first(room: Room) -> None:
    ana = room.comes("ana", KEY)
    ana.sets_password()
    second = room.comes("ana", OTHER, by_password=True)
    one, two = DeviceInfo(KEY, START_US + 1_000_000, True), DeviceInfo(OTHER, START_US + 3_000_000)
    assert list_devices(room.world, ana.here, 5).devices == (one, two)
    assert [each.here for each in list_devices(room.world, second.here, 5).devices] == [False, True]
    assert list_devices(room.world, ana.here, 5).has_password


def test_a_guest_has_no_devices(room: Room) -> None:
    devices = list_devices(room.world, room.comes("bob").here, 5)
    assert (devices.n, devices.devices, devices.has_password) == (5, (), False)


def test_the_only_proof_of_a_name_stays(room: Room) -> None:
    ana = room.comes("ana", KEY)
    room.forget()
    ana >> remove_device(KEY)
    ana >> remove_device(OTHER)
    ana.sets_password()
    ana >> remove_device(KEY)
    room.went("""
        ana is refused: not_allowed
        ana is refused: device_removed
        ana gets ok 2
        ana must go: device_removed
        ana gets ok 3
    """)


def test_who_may_delete_which_account(room: Room) -> None:
    olga, omar, ana = room.operator("olga", KEY), room.operator("omar", OTHER), room.comes("ana", THIRD)
    room.forget()
    ana >> delete_account("olga")
    ana >> delete_account("bob")
    olga >> delete_account("omar")
    room.went("""
        ana is refused: not_allowed
        ana is refused: unknown_user
        olga is refused: not_allowed
    """)
    assert room.decides(ana, delete_account()) == AccountDeleted(ana.session, 5, 5)
    assert room.decides(ana, delete_account("ANA")) == AccountDeleted(ana.session, 5, 5)
    assert room.decides(olga, delete_account("ana")) == AccountDeleted(olga.session, 1, 5)
    assert room.decides(omar, delete_account("omar")) == AccountDeleted(omar.session, 3, 3)


def test_roles_are_given_by_operators_to_names_that_are_somebody_s(room: Room) -> None:
    olga, ana = room.operator("olga", KEY), room.comes("ana", OTHER)
    room.comes("bob")
    room.forget()
    ana >> set_role("ana")
    olga >> set_role("zed")
    olga >> set_role("bob")
    olga >> set_role("ana", "king")
    olga >> set_role("ana", "member")
    room.went("""
        ana is refused: not_allowed
        olga is refused: unknown_user
        olga is refused: not_allowed
        olga is refused: malformed
        olga is refused: not_allowed
    """)


@pytest.mark.parametrize("name", ["\x1b]0;pwned\x07\u202e" + "x" * 10_000, "zed"])
def test_names_come_back_clean_and_short(room: Room, name: str) -> None:
    olga = room.operator("olga", KEY)
    for request in (set_role(name), delete_account(name)):
        refused = room.decides(olga, request)
        assert isinstance(refused, Refused)
        assert refused.text.isprintable() and len(refused.text) < 200
