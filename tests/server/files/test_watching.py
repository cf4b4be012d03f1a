"""Which watched folders something has changed in."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from mystic_server.files import watching
from mystic_server.files.tree import Tree
from mystic_server.files.watching import Watching

PATIENCE_S = 10.0


class Desk:
    """A share that is watched."""

    def __init__(self, share: Path) -> None:
        self.share = share
        self.watching = Watching(Tree(str(share)))

    def changed(self, *expected: str) -> None:
        """Asks until these have changed."""
        missing, deadline = set(expected), time.monotonic() + PATIENCE_S
        while missing:
            assert time.monotonic() < deadline, f"nothing was heard of {missing}"
            missing -= set(self.watching.poll())

    def quiet(self) -> None:
        """Asks until nothing comes any more; what the kernel still had to say is said."""
        while self.watching.poll():
            pass


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    share = tmp_path / "share"
    (share / "plans").mkdir(parents=True)
    desk = Desk(share)
    yield desk
    desk.watching.close()


def test_nothing_is_asked_for_while_nobody_watches(desk: Desk) -> None:
    assert not desk.watching.is_on
    assert desk.watching.poll() == []


@pytest.mark.parametrize("folder", ["", "plans"])
def test_what_comes_changes_and_goes_is_told(desk: Desk, folder: str) -> None:
    desk.watching.want([folder])
    assert desk.watching.is_on
    file = desk.share / folder / "a.txt"
    file.write_bytes(b"1")
    desk.changed(folder)
    desk.quiet()
    file.write_bytes(b"2")
    desk.changed(folder)
    desk.quiet()
    file.unlink()
    desk.changed(folder)


def test_only_the_folders_that_are_watched(desk: Desk) -> None:
    (desk.share / "other" / "deep").mkdir(parents=True)
    desk.watching.want(["plans"])
    (desk.share / "other" / "x").write_bytes(b"1")
    (desk.share / "plans" / "x").write_bytes(b"1")
    desk.changed("plans")
    desk.watching.want(["other"])
    desk.quiet()
    (desk.share / "plans" / "y").write_bytes(b"1")
    (desk.share / "other" / "deep" / "y").write_bytes(b"1")
    (desk.share / "other" / "y").write_bytes(b"1")
    heard: set[str] = set()
    while "other" not in heard:
        heard |= set(desk.watching.poll())
    assert heard == {"other"}


def test_nothing_is_missed_when_other_folders_are_wanted_too(desk: Desk) -> None:
    (desk.share / "other").mkdir()
    desk.watching.want(["plans"])
    for number in range(5):
        (desk.share / "plans" / f"{number}").write_bytes(b"1")
        desk.watching.want(["plans", "other"] if number % 2 else ["other", "plans"])
        desk.changed("plans")
    (desk.share / "plans").rename(desk.share / "old")
    desk.watching.want(["plans"])
    assert desk.watching.poll() == ["plans"]


def test_wanting_other_things_again_and_again_costs_no_more(desk: Desk) -> None:
    for number in range(50):
        desk.watching.want(["plans", f"{number}"])
        (desk.share / "plans" / f"{number}").write_bytes(b"1")
    desk.changed("plans")


def test_a_folder_that_comes_goes_and_comes_again(desk: Desk) -> None:
    desk.watching.want(["new"])
    assert desk.watching.poll() == []
    for _ in range(2):
        (desk.share / "new").mkdir()
        desk.changed("new")
        desk.quiet()
        (desk.share / "new" / "x").write_bytes(b"1")
        desk.changed("new")
        (desk.share / "new" / "x").unlink()
        (desk.share / "new").rmdir()
        desk.quiet()
        desk.watching.poll()


def test_what_is_put_in_a_folder_s_place_is_another(desk: Desk) -> None:
    desk.watching.want(["plans"])
    desk.quiet()
    (desk.share / "plans").rename(desk.share / "old")
    (desk.share / "plans").mkdir()
    desk.changed("plans")
    desk.quiet()
    (desk.share / "plans" / "x").write_bytes(b"1")
    desk.changed("plans")


def test_links_out_of_the_share_are_not_followed(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (desk.share / "door").symlink_to(tmp_path / "outside")
    desk.watching.want(["door", "../outside"])
    (tmp_path / "outside" / "x").write_bytes(b"1")
    desk.watching.want(["door", "../outside", "plans"])
    (desk.share / "plans" / "x").write_bytes(b"1")
    (tmp_path / "outside" / "y").write_bytes(b"1")
    heard: list[str] = []
    while not heard:
        heard += desk.watching.poll()
    assert heard == ["plans"]


class Full:
    """What a kernel that watches too much already lets one ask."""

    def close(self) -> None:
        pass

    def __next__(self) -> None:
        raise OSError(errno.ENOSPC, "OS file watch limit reached.")


def refuse(monkeypatch: pytest.MonkeyPatch, *, polling_too: bool) -> None:
    """The kernel watches nothing more."""
    real = watchfiles.watch

    def watch(*folders: str, **options: Any) -> Any:
        if options["force_polling"] and not polling_too:
            return real(*folders, **options)
        return Full()

    monkeypatch.setattr(watching, "watch", watch)


def test_where_the_kernel_watches_nothing_more_the_folders_are_looked_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, polling_too=False)
    desk.watching.want(["plans"])
    (desk.share / "plans" / "x").write_bytes(b"1")
    desk.changed("plans")


def test_where_nothing_works_nothing_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, polling_too=True)
    desk.watching.want(["plans"])
    (desk.share / "plans" / "x").write_bytes(b"1")
    assert desk.watching.poll() == desk.watching.poll() == []
    monkeypatch.undo()
    (desk.share / "plans").rename(desk.share / "old")
    desk.changed("plans")
