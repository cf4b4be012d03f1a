"""Names of users and groups, and clean text: what may enter, and what may reach a terminal.

Text of other people can hold commands for the reader's terminal, turn the line around, or hide letters. `clean_text`
and `clean_line` leave nothing of that: escape sequences go with their bodies, every other character that is not for
reading becomes U+FFFD. `check_user_name` and `check_group_name` decide what may be a name. Their order matters: the
length comes before anything else, because normalising a long run of combining marks takes quadratic time.

All of these are idempotent. Which characters are assigned depends on the interpreter's Unicode version, so a server and
a client may differ in the newest ones; that is why both of them clean.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

MAX_LINE_CHARS: Final = 16 * 1024
"""What `clean_line` keeps when nobody says otherwise."""
MAX_MARKS: Final = 8
"""Combining marks on one base; what is beyond them is dropped."""
MAX_SEQUENCE_CHARS: Final = 64
"""Characters of one escape sequence that are removed with it when its end is missing."""

USER_NAME_LIMITS: Final = (32, 64)
"""Characters, and bytes of UTF-8."""
GROUP_NAME_LIMITS: Final = (64, 128)
"""Characters, and bytes of UTF-8."""


# Clean text.

_TAB = " " * 4
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ZWJ = "\N{ZERO WIDTH JOINER}"
_VS16 = "\N{VARIATION SELECTOR-16}"
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
# ECMA-48: control strings up to their terminator, control sequences up to their final byte, then the short escapes.
_ESCAPE_SEQUENCE = re.compile(
    rf"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{{0,{MAX_SEQUENCE_CHARS}}}(?:\x07|\x1b\\|\x9c)?"
    rf"|(?:\x1b\[|\x9b)[0-?]{{0,{MAX_SEQUENCE_CHARS}}}[ -/]{{0,8}}[@-~]?"
    r"|\x1b[ -/]{0,8}[0-~]"
)
# VS16 asks for the picture of an emoji, or starts the box of a keycap; any other selector can hide data in plain sight.
_SELECTOR = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_STRAY_SELECTOR = re.compile(
    rf"[\ufe00-\ufe0e\U000e0100-\U000e01ef]|(?<![{_EMOJI}]){_VS16}(?!\u20e3)|(?<![{_EMOJI}0-9#*]){_VS16}"
)
_STRAY_JOINER = re.compile(rf"(?<![{_EMOJI}])(?<![{_EMOJI}]{_VS16}){_ZWJ}|{_ZWJ}(?![{_EMOJI}])")

# The second half of a Hangul syllable takes no cell of its own, so it counts like a mark. Python has no quick test for
# marks, but they are none of `\w`. A pattern that begins with one set is searched for faster than a repeated one.
_JAMO = "\u1160-\u11ff\ud7b0-\ud7fb"
_PERHAPS_SURPLUS_MARKS = re.compile(rf"[\W{_JAMO}][\W{_JAMO}]{{{MAX_MARKS}}}")


def clean_text(text: str) -> str:
    r"""`text` as it may be shown and stored: lines end in "\n", and no character but that one controls anything.

    Linear. The result can have four times the characters (a tab becomes four spaces) and three times the bytes (U+FFFD)
    of what came in, so a limit on size is to be checked afterwards.
    """
    if text.isascii() and text.isprintable():
        return text
    if not text.isprintable():
        text = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\t", _TAB)
        text = text.translate({ord(char): _REPLACEMENT for char in set(text) if _controls(char)})
    if text.isascii():
        return text
    if _SELECTOR.search(text):
        text = _STRAY_SELECTOR.sub("", text)
    if _ZWJ in text:
        text = _STRAY_JOINER.sub(_REPLACEMENT, text)
    if _PERHAPS_SURPLUS_MARKS.search(text):
        text = _surplus_marks().sub(r"\1", text)
    return text


def clean_line(text: str, limit: int = MAX_LINE_CHARS) -> str:
    """As `clean_text`, in one line of at most `limit` characters; what was cut off shows as an ellipsis."""
    line = clean_text(text).replace("\n", " ")
    if len(line) <= limit:
        return line
    # A cut inside an emoji would leave a joiner or a selector with nothing behind it.
    return line[: limit - 1].rstrip(_ZWJ + _VS16) + "…"


def _controls(char: str) -> bool:
    """Cc, Cf, Cs, Co, Cn, Zl or Zp, but for the line's end and the joiner, which is looked at in its place."""
    return not char.isprintable() and char not in ("\n", _ZWJ) and unicodedata.category(char) != "Zs"


@cache
def _surplus_marks() -> re.Pattern[str]:
    """Finds marks beyond the limit. Made at first use, since looking for all marks takes milliseconds.

    Selectors were dealt with before, and no plane above the first has other marks.
    """
    ranges: list[list[str]] = []
    for char in map(chr, range(0x300, 0x20000)):
        if unicodedata.category(char)[0] != "M" or char == _VS16:
            continue
        if ranges and ord(ranges[-1][1]) == ord(char) - 1:
            ranges[-1][1] = char
        else:
            ranges.append([char, char])
    marks = _JAMO + "".join(f"{first}-{last}" for first, last in ranges)
    return re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+")


# Names.


class NameRefused(ValueError):
    """This can't be a name. The text is a sentence for people; `reason` is a word for programs.

    Reasons: "empty", "too_long", "not_text", "character", "scripts", "punctuation", "reserved".
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


_RESERVED_WORDS = """
admin administrator all broadcast disconnect download everybody everyone exit global group groups help here me moderator
mystic operator pm quit root server system upload usage users
"""
RESERVED: Final = frozenset(_RESERVED_WORDS.split())
"""Words that programs or people would take for something else than a person or a group."""
DEVICES: Final = frozenset(
    ["aux", "con", "nul", "prn", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in range(10)]
)
"""File names that Windows takes for devices, whatever extension follows; a folder is named after each user."""

_TOGETHER = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"CJK", "BOPOMOFO"}),
)
"""Scripts that one language writes side by side."""
_SCRIPT_OF_WORD = {"IDEOGRAPHIC": "CJK", "EXTENDED": "ARABIC"}
# Thai and Lao need these, although they have compatibility decompositions.
_KEPT_COMPATIBLE = frozenset("\u0e33\u0eb3\u0edc\u0edd")
# Invisible: Khmer inherent vowels, Mongolian selectors. Phonetic, archaic and click letters mostly look like others; a
# few of them belong to living alphabets.
_UNSEEN = frozenset("\u17b4\u17b5\u180b\u180c\u180d\u180f")
_LIVING_PHONETIC = frozenset("əɓɗɖɛɔɣɲʋ")
_LATIN = re.compile(r"[a-zA-Z\u00c0-\u01bf\u01c4-\u024f\u1e00-\u1eff]")
# A mark without a letter before it, or more of them in a row than any language writes.
_MISPLACED_MARK = re.compile(r"(?<!M)(?<!L)M|MMMM")
_LOOKS_LIKE = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s", "i": "l", "_": "", "-": "", ".": ""})


def check_user_name(name: str) -> str:
    """`name` in its normal form (NFC), or `NameRefused`."""
    return _check_name(name, *USER_NAME_LIMITS)


def check_group_name(name: str) -> str:
    """`name` in its normal form (NFC), or `NameRefused`."""
    return _check_name(name, *GROUP_NAME_LIMITS)


def name_key(name: str) -> str:
    """What two spellings of one name have in common. Takes any text: nobody has a name that is too long."""
    if name.isascii():
        return name.lower()
    if len(name) > GROUP_NAME_LIMITS[0]:
        return name
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _check_name(name: str, max_chars: int, max_bytes: int) -> str:
    _check_length(name, max_chars, max_bytes)
    name = unicodedata.normalize("NFC", name)
    _check_length(name, max_chars, max_bytes)
    _check_characters(name)
    _check_scripts(name)
    _check_punctuation(name)
    if _is_reserved(name):
        raise NameRefused("reserved", "This name is reserved.")
    return name


def _check_length(name: str, max_chars: int, max_bytes: int) -> None:
    if not name:
        raise NameRefused("empty", "A name needs at least one letter or digit.")
    if len(name) > max_chars:
        raise NameRefused("too_long", f"A name has at most {max_chars} characters.")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise NameRefused("not_text", "A name must be valid Unicode text.") from None
    if size > max_bytes:
        raise NameRefused("too_long", f"A name has at most {max_bytes} bytes as UTF-8.")


def _check_characters(name: str) -> None:
    for char in name:
        if not _is_allowed(char):
            raise NameRefused("character", f"{_show(char)} is not allowed: use letters, digits, “_”, “-” and “.”.")


def _show(char: str) -> str:
    """A character by itself, if it can stand by itself, and its number."""
    if char == " ":
        return "A space"
    number = f"U+{ord(char):04X}"
    alone = char.isprintable() and unicodedata.category(char)[0] != "M"
    return f"“{char}” ({number})" if alone else f"The character {number}"


@lru_cache(maxsize=4096)
def _is_allowed(char: str) -> bool:
    """A letter, a digit, a mark that belongs to one script, or one of `_ - .`; nothing that only looks like them."""
    if char.isascii():
        return char.isalnum() or char in "_-."
    category = unicodedata.category(char)
    if category not in ("Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Mn", "Mc") or char in _UNSEEN:
        return False
    if unicodedata.normalize("NFKC", char) != char and char not in _KEPT_COMPATIBLE:
        return False
    if _is_jamo(char) or _script(char) in ("", "MODIFIER", "COMBINING", "VARIATION"):
        return False
    return _script(char) != "LATIN" or bool(_LATIN.match(char)) or char in _LIVING_PHONETIC


def _is_jamo(char: str) -> bool:
    """Half a Hangul syllable, which some fonts don't show at all."""
    return "\u1100" <= char <= "\u11ff" or "\ua960" <= char <= "\ua97f" or "\ud7b0" <= char <= "\ud7ff"


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    """The script of a letter, which its Unicode name begins with; "" if nothing tells."""
    word = unicodedata.name(char, "").partition(" ")[0].partition("-")[0]
    return _SCRIPT_OF_WORD.get(word, word)


def _check_scripts(name: str) -> None:
    scripts = {_script(char) for char in name if not (char.isascii() and not char.isalpha())}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        listed = " and ".join(sorted(script.capitalize() for script in scripts))
        raise NameRefused("scripts", f"A name is written in one script; this one mixes {listed}.")


def _check_punctuation(name: str) -> None:
    if name[0] in "-." or name[-1] in "-.":
        raise NameRefused("punctuation", "A name can't begin or end with “-” or “.”.")
    if ".." in name:
        raise NameRefused("punctuation", "A name can't contain “..”.")
    if not any(char.isalnum() for char in name):
        raise NameRefused("empty", "A name needs at least one letter or digit.")
    if _MISPLACED_MARK.search("".join(_kind(char) for char in name)):
        raise NameRefused("character", "A combining mark needs a letter of its own.")


def _kind(char: str) -> str:
    return "M" if unicodedata.category(char)[0] == "M" else "L" if char.isalnum() else "."


def _is_reserved(name: str) -> bool:
    key = name_key(name)
    return key.partition(".")[0] in DEVICES or _skeleton(key) in _RESERVED_SKELETONS


def _skeleton(key: str) -> str:
    """What a hurried eye sees: without accents and punctuation, digits as the letters that they resemble.

    Digits at the end are digits to everybody: `user5` is not `users`.
    """
    bare = "".join(char for char in unicodedata.normalize("NFD", key) if unicodedata.category(char) != "Mn")
    word = bare.rstrip("0123456789")
    return word.translate(_LOOKS_LIKE).replace("rn", "m").replace("vv", "w") + bare[len(word) :]


_RESERVED_SKELETONS = frozenset(_skeleton(word) for word in RESERVED)
