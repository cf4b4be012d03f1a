"""What the word before the cursor may become: commands, people, groups, files."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from mystic_client.model.commands import MYSTIC, SLASH
from mystic_client.model.spelling import Spelling

MAX_OFFERED: Final = 50
_GROUP_WORDS: Final = ("/join ", "/leave ", "mystic join group ", "mystic leave group ")
_PERSON_WORDS: Final = (
    *("/pm ", "/msg ", "mystic pm ", "/add ", "/remove ", "/handover "),
    *("/kick ", "/ban ", "/unban ", "/mute ", "/unmute ", "/role "),
)
_FILE_WORDS: Final = ("/download ", "/get ", "mystic download ")
_FOLDER_WORDS: Final = ("/files ",)
_ADDRESSING = re.compile(r"/to (?:[^\s,]+\s*,\s*)*([^\s,]*)")
_MENTION = re.compile(r"(?:^|(?<=\s))@([\w.-]*)$")


class Offer(Struct, frozen=True):
    """One thing that the text may become: `text` replaces what is there, `label` and `hint` explain it."""

    text: str
    label: str
    hint: str = ""


class Offers(Struct, frozen=True):
    """What fits: each offer replaces the text from `start` to the cursor."""

    start: int = 0
    items: tuple[Offer, ...] = ()


class Known(Struct, frozen=True):
    """What can be offered: names of people and groups, paths of files and folders that were seen.

    `may`: whose commands are offered beside those of everybody: "owner", "operator".
    """

    people: Sequence[str] = ()
    groups: Sequence[str] = ()
    files: Sequence[str] = ()
    folders: Sequence[str] = ()
    may: frozenset[str] = frozenset()


def complete(before: str, known: Known) -> Offers:
    """What fits the text `before` the cursor; nothing if it is whole already."""
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
    fitting = sorted((name for name in names if name.casefold().startswith(wanted)), key=str.casefold)
    if len(fitting) == 1 and fitting[0] == begun:
        return Offers()
    return Offers(start, tuple(Offer(name + after, name) for name in fitting[:MAX_OFFERED]))
