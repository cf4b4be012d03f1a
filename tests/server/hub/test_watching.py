"""Sessions that are told when something changes in a folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.hub import watching
from mystic_server.hub.watching import INTERVAL_S
from mysticproto.model import FolderChanged, Ok, Refused, WatchFolder
from tests.server.hub.rig import Client, Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def watches(rig: Rig, client: Client, path: str, *, on: bool = True) -> None:
    client.asks(WatchFolder(3, path, on))
    rig.settle()
    assert client.takes(Ok) == [Ok(3)]


def changes(rig: Rig, path: str) -> None:
    rig.files.on_change(path)
    rig.settle()


def test_each_is_told_of_the_folder_they_watch(rig: Rig) -> None:
    ana, bob, eve = rig.comes("ana"), rig.comes("bob"), rig.comes("eve")
    watches(rig, ana, "")
    watches(rig, bob, "plans")
    assert rig.files.watched == [{""}, {"", "plans"}]
    changes(rig, "plans")
    changes(rig, "")
    assert [client.takes(FolderChanged) for client in (ana, bob, eve)] == [
        [FolderChanged("")],
        [FolderChanged("plans")],
        [],
    ]


def test_another_folder_takes_its_place_and_none_at_all_ends_it(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    watches(rig, bob, "plans")
    watches(rig, ana, "plans")
    watches(rig, ana, "photos")
    watches(rig, ana, "photos", on=False)
    watches(rig, ana, "photos", on=False)
    assert rig.files.watched == [{"plans"}, {"plans", "photos"}, {"plans"}]
    changes(rig, "photos")
    assert ana.takes(FolderChanged) == []


def test_who_goes_watches_nothing(rig: Rig) -> None:
    ana = rig.comes("ana")
    watches(rig, ana, "plans")
    ana.goes()
    rig.settle()
    assert rig.files.watched == [{"plans"}, set()]
    changes(rig, "plans")


def test_many_changes_are_told_twice_a_second(rig: Rig) -> None:
    ana = rig.comes("ana")
    watches(rig, ana, "plans")
    for _ in range(100):
        changes(rig, "plans")
    assert len(ana.takes(FolderChanged)) == 1
    rig.wait(INTERVAL_S)
    assert len(ana.takes(FolderChanged)) == 1, "what came in between is told once"
    rig.wait(3 * INTERVAL_S)
    assert ana.takes(FolderChanged) == []
    changes(rig, "plans")
    assert len(ana.takes(FolderChanged)) == 1


def test_so_many_folders_and_no_more(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_FOLDERS", 2)
    ana, bob, eve = rig.comes("ana"), rig.comes("bob"), rig.comes("eve")
    watches(rig, ana, "1")
    watches(rig, bob, "2")
    eve.asks(WatchFolder(4, "3"), WatchFolder(5, "x" * 5000))
    rig.settle()
    assert [refused.code for refused in eve.takes(Refused)] == ["limit_reached", "limit_reached"]
    watches(rig, eve, "2")


def test_a_name_that_is_too_long_is_none(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(WatchFolder(4, "x" * 5000))
    rig.settle()
    assert [refused.code for refused in ana.takes(Refused)] == ["file_not_found"]
    assert rig.files.watched == []
