"""Keys that Textual takes for something else than what was pressed."""

import sys
from typing import Final

from textual import _ansi_sequences

_DIGITS: Final = "123456789"


def let_alt_digits_be(platform: str = sys.platform) -> None:
    """Alt with a digit is a key, and no character.

    Terminals send it as Escape and the digit. Textual 8 reads that as the characters that Option types with them on a
    Mac ("™" for 2), for the sake of one terminal there; elsewhere they come from nobody's keyboard that way.
    """
    sequences = _ansi_sequences.ANSI_SEQUENCES_KEYS
    if platform != "darwin" and isinstance(sequences, dict):
        for digit in _DIGITS:
            sequences.pop(f"\x1b{digit}", None)
