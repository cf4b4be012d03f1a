"""What the word before the cursor may become: commands, people, groups, files."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mystic_client.model.commands import MYSTIC, SLASH
from mystic_client.model.own_files import OwnFile, fitting, split
from mystic_client.model.spelling import Spelling
from mystic_client.model.text import size_in_words
from mysticproto.names import clean_line

MAX_OFFERED: Final = 50
_GROUP_WORDS: Final = ("/join ", "/leave ", "mystic join group ", "mystic leave group ")
_PERSON_WORDS: Final = (
    *("/pm ", "/msg ", "mystic pm ", "/add ", "/remove ", "/handover "),
    *("/kick ", "/ban ", "/unban ", "/mute ", "/unmute ", "/role "),
)
_FILE_WORDS: Final = ("/download ", "/get ", "mystic download ")
_FOLDER_WORDS: Final = ("/files ",)
_OWN_WORD: Final = "/put "
_ADDRESSING = re.compile(r"/to (?:[^\s,]+\s*,\s*)*([^\s,]*)")
_NAME = re.compile(r"[\w.-]*")
_MENTION = re.compile(r"(?:^|(?<=\s))@([\w.-]*)\Z")


class Offer(Struct, frozen=True):
    """One thing that the text may become: `text` replaces what is there, `label` and `hint` explain it."""

    text: str
    label: str
    hint: str = ""


class Offers(Struct, frozen=True):
    """What fits: each offer replaces the text from `start` to the cursor, and `behind` characters behind it."""

    start: int = 0
    items: tuple[Offer, ...] = ()
    behind: int = 0


class Known(Struct, frozen=True):
    """What can be offered: names of people and groups, paths of files and folders that were seen.

    `may`: whose commands are offered beside those of everybody: "owner", "operator".
    """

    people: Sequence[str] = ()
    groups: Sequence[str] = ()
    files: Sequence[str] = ()
    folders: Sequence[str] = ()
    may: frozenset[str] = frozenset()


def complete_within(before: str, after: str, known: Known) -> Offers:
    """What fits at a cursor that has text behind it: whom to mention, in the place of the whole word that it is in."""
    mention = _MENTION.search(before)
    rest = _NAME.match(after)
    if mention is None or rest is None or mention[1] + rest[0] in known.people:
        return Offers()
    behind = rest.end() + after.startswith(" ", rest.end())  # the offer brings a space of its own
    return replace(_words(mention.start(1), mention[1], known.people, " "), behind=behind)


def complete(before: str, known: Known) -> Offers:
    """What fits the text `before` the cursor, which is all there is; nothing if it is whole already."""
    if "\n" in before:
        return complete_within(before, "", known)
    if before.startswith("/") and not before.startswith("//") and " " not in before:
        return _commands(before, [spelling for spelling in SLASH if not spelling.who or spelling.who in known.may])
    if addressing := _ADDRESSING.fullmatch(before):
        return _words(addressing.start(1), addressing[1], known.people, " ")
    for words, names, after in (
        (_PERSON_WORDS, known.people, " "),
        (_GROUP_WORDS, known.groups, ""),
        (_FILE_WORDS, known.files, ""),
        (_FOLDER_WORDS, known.folders, ""),
    ):
        word = next((word for word in words if before.startswith(word)), None)
        if word is not None:
            return _words(len(word), before[len(word) :], names, after)
    if before.startswith("mystic "):
        return _commands(before, MYSTIC)
    if mention := _MENTION.search(before):
        return _words(mention.start(1), mention[1], known.people, " ")
    return Offers()


def own_folder(before: str) -> str | None:
    """The folder here, as it was typed, whose files `before` may go on with; None: it is about none."""
    return split(before.removeprefix(_OWN_WORD))[0] if before.startswith(_OWN_WORD) else None


def complete_own(before: str, files: list[OwnFile]) -> Offers:
    """What fits the name at the end of `before`, given what is in its `own_folder`."""
    begun = split(before.removeprefix(_OWN_WORD))[1]
    named = [own for own in fitting(files, begun) if own.name.casefold().startswith(begun.casefold())]
    if any(own.name == begun and not own.is_folder for own in named):
        return Offers()
    return Offers(len(before) - len(begun), tuple(_own_offer(own) for own in named if _can_be_typed(own))[:MAX_OFFERED])


def _own_offer(own: OwnFile) -> Offer:
    if own.is_folder:
        return Offer(own.name + "/", own.name + "/")
    return Offer(own.name, own.name, size_in_words(own.size))


def _can_be_typed(own: OwnFile) -> bool:
    """A line's ends are trimmed, and what drives a terminal is taken out of it."""
    return clean_line(own.name) == own.name and (own.is_folder or own.name.rstrip() == own.name)


def _commands(before: str, spellings: Iterable[Spelling]) -> Offers:
    fitting = [spelling for spelling in spellings if spelling.words.startswith(before) and spelling.words != before]
    return Offers(
        0,
        tuple(
            Offer(spelling.words + (" " if spelling.arguments else ""), spelling.usage, spelling.meaning)
            for spelling in fitting
        ),
    )


def _words(start: int, begun: str, names: Iterable[str], after: str) -> Offers:
    wanted = begun.casefold()
    found = sorted((name for name in names if name.casefold().startswith(wanted)), key=str.casefold)
    if begun in found and (len(found) == 1 or not after):
        return Offers()
    return Offers(start, tuple(Offer(name + after, name) for name in found[:MAX_OFFERED]))
