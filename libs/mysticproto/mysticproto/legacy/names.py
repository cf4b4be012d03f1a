"""Names that an older program allows and Mystic doesn't, such as an e-mail address, and the names that stand for them.

    to_mystic("ann@hku.hk") == "ann_40_hku.hk"          from_mystic("ann_40_hku.hk") == "ann@hku.hk"

Each character that Mystic doesn't allow becomes its code point in hexadecimal between underscores. An underscore that
would begin such an escape though nobody meant one becomes an escape itself: "a_40_b" stands as "a_5F_40_b". So no two
names share a stand-in, and every name of Mystic is the stand-in of exactly one name. Only what can be read is escaped:
what `from_mystic` gives is as clean as what it was given.
"""

import re
import unicodedata
from functools import lru_cache

from mysticproto.names import USER_NAME_LIMITS, NameRefused, check_user_name, clean_text

_ESCAPE = re.compile(r"_((?:5F_)*)([0-9A-F]{2,6})_")
_UNDERSCORE = "_5F_"


def to_mystic(name: str) -> str:
    """The name of a Mystic user that stands for `name`, in the normal form (NFC). Raises `NameRefused`."""
    if len(name) > USER_NAME_LIMITS[0]:
        raise NameRefused("too_long", f"A name has at most {USER_NAME_LIMITS[0]} characters.")
    standing = ""
    # From the end, since whether an underscore begins an escape depends on what follows it.
    for char in reversed(unicodedata.normalize("NFC", name)):
        if _is_escaped(char):
            standing = f"_{ord(char):02X}_{standing}"
        elif char == "_" and _begins_escape("_" + standing):
            standing = _UNDERSCORE + standing
        else:
            standing = char + standing
    return check_user_name(standing)


def from_mystic(name: str) -> str:
    """The name that `name` stands for: the inverse of `to_mystic`."""
    original, at = "", 0
    while at < len(name):
        found = _ESCAPE.match(name, at)
        char = _maybe_escaped(found[2]) if found else ""
        if not found or not char:
            original, at = original + name[at], at + 1
        elif found[1]:
            original, at = original + "_", at + len(_UNDERSCORE)
        else:
            original, at = original + char, found.end()
    return original


def _begins_escape(text: str) -> bool:
    found = _ESCAPE.match(text)
    return found is not None and _maybe_escaped(found[2]) != ""


def _maybe_escaped(digits: str) -> str:
    """The character that these digits stand for; "" if `to_mystic` never writes them."""
    code = int(digits, 16)
    if code > 0x10FFFF or f"{code:02X}" != digits:
        return ""
    return chr(code) if _is_escaped(chr(code)) else ""


@lru_cache(maxsize=4096)
def _is_escaped(char: str) -> bool:
    """Whether names can't have this character, though people can read it."""
    if not char.isprintable() or clean_text(char) != char:
        return False
    try:
        # No letter composes with a mark to q, so that the character is judged by itself.
        check_user_name("q" + char)
    except NameRefused as refused:
        return refused.reason == "character"
    return False
