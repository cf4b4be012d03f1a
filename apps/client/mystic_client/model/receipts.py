"""Receipts in words: who has got and who has read a message."""

from collections.abc import Iterable

from mystic_client.model.text import names_in_words
from mysticproto.model import Watermark


def readers(marks: Iterable[Watermark], message: int, author: int) -> str:
    """ "Read by 2 of 3: ana and bob. Delivered to eva." The author of the message doesn't count."""
    others = [mark for mark in marks if mark.user.id != author]
    read = [mark.user.name for mark in others if mark.read >= message]
    got = [mark.user.name for mark in others if mark.delivered >= message > mark.read]
    words = f"Read by {len(read)} of {len(others)}"
    words += f": {names_in_words(read, len(read))}." if read else "."
    return f"{words} Delivered to {names_in_words(got, 10)}." if got else words
