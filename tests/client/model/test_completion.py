"""What is offered while typing."""

import pytest

from mystic_client.model.completion import MAX_OFFERED, Known, complete, complete_own, complete_within, own_folder
from mystic_client.model.own_files import OwnFile

KNOWN = Known(["ana", "Anton", "bob"], ["dev", "design"], ["a file.txt", "Music/b.ogg"], ["Music", "Music/Old"])


def offered(before: str) -> list[str]:
    """The whole line after taking each offer."""
    offers = complete(before, KNOWN)
    return [before[: offers.start] + offer.text for offer in offers.items]


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ("/us", ["/users"]),
        ("/users", []),
        ("/j", ["/join "]),
        ("/d", ["/delete", "/download ", "/disconnect"]),
        ("/to ", ["/to ana ", "/to Anton ", "/to bob "]),
        ("/to an", ["/to ana ", "/to Anton "]),
        ("/to ana, b", ["/to ana, bob "]),
        ("/to ana,b", ["/to ana,bob "]),
        ("/to ana hello b", []),
        ("/pm B", ["/pm bob "]),
        ("/pm bob", []),
        ("/kick a", ["/kick ana ", "/kick Anton "]),
        ("/mute ana 1", []),
        ("mystic pm a", ["mystic pm ana ", "mystic pm Anton "]),
        ("mystic join group de", ["mystic join group design", "mystic join group dev"]),
        ("/leave d", ["/leave design", "/leave dev"]),
        ("mystic c", ["mystic create group "]),
        ("mystic ", None),
        ("/get a", ["/get a file.txt"]),
        ("/files music/", ["/files Music/Old"]),
        ("/files Music", []),
        ("hello @an", ["hello @ana ", "hello @Anton "]),
        ("mail me@an", []),
        ("two\nlines @an", ["two\nlines @ana ", "two\nlines @Anton "]),
        ("two\n@b", ["two\n@bob "]),
        ("two\n/us", []),
        ("@b\n", []),
        ("plain text", []),
        ("//slash", []),
        ("", []),
    ],
)
def test_what_is_offered(before: str, lines: list[str] | None) -> None:
    assert offered(before) == lines if lines is not None else len(offered(before)) == 11


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("@b| are you there?", ["@bob are you there?"]),
        ("hello @an|, lunch?", ["hello @ana , lunch?", "hello @Anton , lunch?"]),
        ("hello @b|ab tomorrow", ["hello @bob tomorrow"]),
        ("one\n@b|\ntwo", ["one\n@bob \ntwo"]),
        ("@|", ["@ana ", "@Anton ", "@bob "]),
        ("@b|ob is here", []),
        ("@ana| and @bob", []),
        ("mail me@an| today", []),
        ("/us| x", []),
        ("/pm b| x", []),
        ("an| x", []),
    ],
)
def test_mentions_are_offered_in_the_middle_of_a_text(text: str, lines: list[str]) -> None:
    before, after = text.split("|")
    offers = complete_within(before, after, KNOWN)
    assert [before[: offers.start] + offer.text + after[offers.behind :] for offer in offers.items] == lines


def test_offers_say_what_they_mean() -> None:
    offer = complete("/bro", KNOWN).items[0]
    assert (offer.label, offer.hint) == ("/broadcast <message>", "write to everybody, whatever group they are in")


def test_the_list_has_an_end() -> None:
    crowd = Known([f"user{number}" for number in range(10_000)])
    assert len(complete("/pm u", crowd).items) == MAX_OFFERED


def test_commands_of_owners_and_operators_are_offered_to_them() -> None:
    def offered_to(*may: str) -> list[str]:
        return [offer.text for offer in complete("/un", Known(may=frozenset(may))).items]

    assert offered_to() == []
    assert offered_to("owner", "operator") == ["/unban ", "/unmute "]


HOME = [
    OwnFile("a folder", True),
    OwnFile("Music", True),
    OwnFile(".config", True),
    OwnFile("a file.txt", False, 2048),
    OwnFile("a file.txt.old", False),
    OwnFile("Notes", False),
    OwnFile("notes", False),
    OwnFile("drives\x1b[2J", False),
    OwnFile("two\nlines", False),
    OwnFile("ends with a space ", False),
]


@pytest.mark.parametrize(
    ("before", "folder"),
    [
        ("/put ", ""),
        ("/put no", ""),
        ("/put ~/", "~/"),
        ("/put ~/a folder/x", "~/a folder/"),
        ("/put /", "/"),
        ("/put", None),
        ("/putter ", None),
        ("say /put /", None),
    ],
)
def test_the_folder_that_a_path_is_in(before: str, folder: str | None) -> None:
    assert own_folder(before) == folder


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ("/put ~/a", ["/put ~/a folder/", "/put ~/a file.txt", "/put ~/a file.txt.old"]),
        ("/put ~/a f", ["/put ~/a folder/", "/put ~/a file.txt", "/put ~/a file.txt.old"]),
        ("/put a file.txt", []),
        ("/put mus", ["/put Music/"]),
        ("/put Music", ["/put Music/"]),
        ("/put NO", ["/put Notes", "/put notes"]),
        ("/put .", ["/put .config/"]),
        ("/put drives", []),
        ("/put two", []),
        ("/put ends", []),
        ("/put older", []),
    ],
)
def test_paths_of_this_computer(before: str, lines: list[str]) -> None:
    offers = complete_own(before, HOME)
    assert [before[: offers.start] + offer.text for offer in offers.items] == lines


def test_a_folder_of_this_computer_is_offered_without_what_is_hidden_and_not_without_end() -> None:
    labels = [(offer.label, offer.hint) for offer in complete_own("/put ~/", HOME).items]
    assert labels[0] == ("a folder/", "") and labels[2] == ("a file.txt", "2.0 KiB")
    assert ".config/" not in [label for label, _ in labels]
    crowd = [OwnFile(f"file{number}", False) for number in range(1000)]
    assert len(complete_own("/put f", crowd).items) == MAX_OFFERED
