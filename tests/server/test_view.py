"""The operator's view: what the hub tells, as lines and figures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from mystic_server.console import Console, Status
from mystic_server.files.upload_messages import Upload
from mystic_server.net.outqueue import FileSpan
from mystic_server.view import OperatorsView
from mysticproto.model import (
    FOR_EVER_US,
    AccountClaimed,
    AccountDeleted,
    CreateGroup,
    Fetch,
    Group,
    GroupRenamed,
    JoinGroup,
    LeaveGroup,
    Logout,
    Moderated,
    Post,
    ToGlobal,
    UserRef,
)
from tests.server.hub.fakes import Transfer
from tests.server.hub.rig import Rig


class Desk(Console):
    """A console whose lines and figures a test can read."""

    def __init__(self) -> None:
        self._end, self._descriptor = os.pipe()
        os.set_blocking(self._end, False)
        self.figures: list[Status] = []
        super().__init__("json", self._descriptor, lines_per_cause=1000)

    def status(self, status: Status) -> None:
        self.figures.append(status)

    def lines(self) -> list[dict[str, object]]:
        """What was written since the last call."""
        data = b""
        while True:
            self.flush()
            try:
                data += os.read(self._end, 1 << 16)
            except BlockingIOError:
                return [json.loads(line) for line in data.splitlines()]

    def words(self) -> list[str]:
        """The same in short."""
        wanted = ("event", "what", "name", "group", "reason", "path")
        return [" ".join(str(line[each]) for each in wanted if line.get(each)) for line in self.lines()]

    def give_back(self) -> None:
        self.close()
        os.close(self._end)
        os.close(self._descriptor)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.give_back()


@pytest.fixture
def view(desk: Desk) -> OperatorsView:
    return OperatorsView(desk, 100.0)


@pytest.fixture
def rig(view: OperatorsView) -> Iterator[Rig]:
    with Rig(witness=view) as rig:
        yield rig


def test_connections_are_shown_with_their_address(rig: Rig, view: OperatorsView, desk: Desk) -> None:
    client = rig.connects()
    view.connected(client.connection)
    line = desk.lines()[0]
    assert (line["event"], line["address"], line["port"]) == ("connected", "127.0.0.1", 40_000)
    client.goes()
    rig.settle()
    line = desk.lines()[0]
    assert (line["event"], line["reason"], line["port"]) == ("disconnected", "lost", 40_000)


def test_comings_and_goings_are_shown_and_messages_are_not(rig: Rig, desk: Desk) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(CreateGroup(1, "team"), Post(2, ToGlobal(), "secret"), LeaveGroup(3))
    rig.settle()
    bob.asks(CreateGroup(1, "club"))
    rig.settle()
    ana.asks(JoinGroup(4, "club"), Logout(5))
    rig.settle()
    bob.goes()
    rig.settle()
    assert desk.words() == [
        "joined ana",
        "joined bob",
        "group created ana team",
        "group left ana team",
        "group deleted team",
        "group created bob club",
        "group joined ana club",
        "group left ana club",
        "left ana left",
        "disconnected ana closed",
        "disconnected bob lost",
        "group left bob club",
        "group deleted club",
        "left bob lost",
    ]


def test_what_operators_do_is_shown_with_their_names(desk: Desk, view: OperatorsView) -> None:
    olga, ana = UserRef(1, "olga"), UserRef(2, "ana")
    view.told(AccountClaimed(1, 1, ana, "member"))
    view.told(AccountClaimed(2, 1, ana, "operator", olga))
    view.told(AccountDeleted(3, 1, ana, olga))
    view.told(Moderated(4, 1, "ban", olga, "9.9.0.0/16", "spam", FOR_EVER_US))
    view.told(Moderated(5, 1, "mute", olga, "ana", "", 1_700_000_000_000_000))
    view.told(GroupRenamed(6, 1, Group(3, "team"), ana, "club"))
    lines = desk.lines()
    assert [(line["event"], line.get("what") or line.get("act"), line["by"]) for line in lines[:5]] == [
        ("account", "made member", ""),
        ("account", "made operator", "olga"),
        ("account", "deleted", "olga"),
        ("peace", "ban", "olga"),
        ("peace", "mute", "olga"),
    ]
    assert [(line["target"], line["reason"], bool(line["until"])) for line in lines[3:5]] == [
        ("9.9.0.0/16", "spam", False),
        ("ana", "", True),
    ]
    assert (lines[5]["what"], lines[5]["group"]) == ("renamed", "team")


def test_a_failed_login_is_a_warning_without_the_password(rig: Rig, desk: Desk) -> None:
    client = rig.connects()
    client.asks(client.login("ana", password="correct horse"))
    rig.wait(1.2)
    line = desk.lines()[0]
    assert (line["event"], line["level"], line["name"], line["reason"]) == ("login", "warning", "ana", "wrong password")
    assert "horse" not in str(line)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("finished", "closed"),
        ("too_slow", "did not read what it was sent"),
        ("silent", "said nothing for too long"),
        ("cut_short", "the file became shorter"),
        ("fault", "a fault of the server"),
        ("something new", "something new"),
    ],
)
def test_the_reason_of_an_end_is_said_in_words(rig: Rig, desk: Desk, cause: str, reason: str) -> None:
    rig.connects().connection.close(cause)
    assert desk.lines()[0]["reason"] == reason


def fetch(rig: Rig, folder: Path, *, size: int, offset: int = 0) -> Transfer:
    """A transfer that waits for the ticket "t"; ana's."""
    path = folder / "file"
    path.write_bytes(b"x" * size)
    rig.comes("ana")
    transfer = Transfer(1, FileSpan(os.open(path, os.O_RDONLY), offset, size - offset), "a/file", user=1)
    transfer.size, transfer.start = size, type(transfer.start)(1, size, offset)
    rig.files.transfers[b"t"] = lambda n: transfer
    return transfer


def test_a_transfer_is_shown_from_its_start_to_its_end(rig: Rig, desk: Desk, tmp_path: Path) -> None:
    fetch(rig, tmp_path, size=1000, offset=400)
    desk.lines()
    client = rig.connects()
    client.asks(Fetch(1, b"t"))
    rig.settle()
    started, finished, _ = desk.lines()
    assert (started["what"], started["name"], started["path"]) == ("started", "ana", "a/file")
    assert (started["size"], started["offset"]) == (1000, 400)
    assert (finished["what"], finished["name"], finished["size"]) == ("finished", "ana", 600)


def test_uploads_are_shown_by_where_they_go_or_lie(rig: Rig, desk: Desk) -> None:
    ana = rig.comes("ana")
    desk.words()
    view, connection = OperatorsView(desk, 0.0), ana.connection
    upload = Upload(id="0", user=1, name="b", size=9, blake3=b"", touched_us=0, folder="a")
    view.upload_started(connection, "ana", upload, 4)
    view.upload_failed(connection, "ana", upload, 3)
    view.upload_finished(connection, "ana", replace(upload, path="a/b (1)"), 1.0)
    assert desk.words() == [
        "transfer upload_started ana a/b",
        "transfer upload_failed ana a/b",
        "transfer upload_finished ana a/b (1)",
    ]


def test_a_transfer_that_breaks_off_is_a_warning(rig: Rig, desk: Desk, tmp_path: Path) -> None:
    fetch(rig, tmp_path, size=1_000_000)
    desk.lines()
    client = rig.connects(sndbuf=4096)
    client.reads = False
    client.asks(Fetch(1, b"t"))
    rig.settle()
    client.goes()
    rig.settle()
    _, failed, _ = desk.lines()
    assert (failed["what"], failed["level"], failed["reason"]) == ("failed", "warning", "the connection ended")
    sent = failed["sent"]
    assert isinstance(sent, int)
    assert 0 < sent < 1_000_000


def test_figures_are_of_the_last_second(view: OperatorsView, desk: Desk) -> None:
    view.report(101.0, connections=3, users=2, groups=1, messages=10, deliveries=20)
    view.report(103.0, connections=3, users=2, groups=1, messages=30, deliveries=80)
    first, second = desk.figures
    assert (first.connections, first.users, first.groups, first.uptime_s) == (3, 2, 1, 1.0)
    assert (first.messages_per_s, first.deliveries_per_s) == (10, 20)
    assert (second.messages_per_s, second.deliveries_per_s, second.uptime_s) == (10, 30, 3.0)


def test_two_reports_at_once_divide_by_nothing(view: OperatorsView, desk: Desk) -> None:
    for _ in range(2):
        view.report(100.0, connections=0, users=0, groups=0, messages=0, deliveries=0)
    assert desk.figures[1].messages_per_s == 0


def test_bytes_of_transfers_are_counted_while_they_run_and_once(
    rig: Rig, view: OperatorsView, desk: Desk, tmp_path: Path
) -> None:
    fetch(rig, tmp_path, size=1_000_000)
    client = rig.connects(sndbuf=4096)
    client.reads = False
    client.asks(Fetch(1, b"t"))
    rig.settle()
    report(view, 101.0)
    client.reads = True
    rig.settle()
    report(view, 102.0)
    report(view, 103.0)
    running, over, quiet = desk.figures
    assert (running.transfers, over.transfers, quiet.transfers) == (1, 0, 0)
    assert 0 < running.transfer_bytes_per_s < 1_000_000
    total = running.transfer_bytes_per_s + over.transfer_bytes_per_s
    assert 1_000_000 < total < 1_001_000  # with the frames around it
    assert quiet.transfer_bytes_per_s == 0


def report(view: OperatorsView, now: float) -> None:
    view.report(now, connections=1, users=1, groups=0, messages=0, deliveries=0)
