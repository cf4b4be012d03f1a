"""Shared folders in order."""

from mystic_client.model.folder import Listing, fitting, ordered
from mysticproto.model import FolderEntry

FILES = [
    FolderEntry("b.txt", "file", 10, 300),
    FolderEntry("A.txt", "file", 30, 100),
    FolderEntry("c.txt", "file", 20, 200),
    FolderEntry("Z", "folder", 0, 50, 9),
    FolderEntry("y", "folder", 0, 60, 3),
]


def names(column: str, *, down: bool = False) -> list[str]:
    return [entry.name for entry in ordered(FILES, column, down=down)]


def test_folders_come_first_in_every_order() -> None:
    assert names("name") == ["y", "Z", "A.txt", "b.txt", "c.txt"]
    assert names("name", down=True) == ["Z", "y", "c.txt", "b.txt", "A.txt"]
    assert names("size") == ["y", "Z", "b.txt", "c.txt", "A.txt"]
    assert names("size", down=True) == ["Z", "y", "A.txt", "c.txt", "b.txt"]
    assert names("modified") == ["Z", "y", "A.txt", "c.txt", "b.txt"]


def test_all_words_have_to_be_in_the_name() -> None:
    assert [entry.name for entry in fitting(FILES, "TXT a")] == ["A.txt"]
    assert fitting(FILES, " ") == FILES
    assert fitting(FILES, "[/b]") == []


def test_the_way_to_a_folder() -> None:
    root, deep = Listing(), Listing("Music/Old")
    assert root.crumbs == [("Shared files", "")]
    assert deep.crumbs == [("Shared files", ""), ("Music", "Music"), ("Old", "Music/Old")]
    assert (root.parent, Listing("Music").parent, deep.parent) == (None, "", "Music")
    assert root.path_of(FILES[0]) == "b.txt"
    assert deep.path_of(FILES[0]) == "Music/Old/b.txt"
