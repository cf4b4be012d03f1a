"""What is offered while typing."""

import pytest

from mystic_client.model.completion import MAX_OFFERED, Known, complete

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
        ("hello @an", ["hello @ana ", "hello @Anton "]),
        ("mail me@an", []),
        ("plain text", []),
        ("//slash", []),
        ("", []),
    ],
)
def test_what_is_offered(before: str, lines: list[str] | None) -> None:
    assert offered(before) == lines if lines is not None else len(offered(before)) == 11


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
