"""Entries as rows of styled pieces: what the message view draws, and the only thing that knows how high an entry is.

A row is a bar, pieces of text, and something at the right end. Pieces name their style ("text", "author", "link", ...)
and may carry what a click on them means. Foreign text stays text: nothing in it is looked at but links and names.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Final

from msgspec import Struct
from rich.cells import cell_len

from mystic_client.model.cards import NEW, Card
from mystic_client.model.entries import mention_pattern
from mystic_client.model.text import clock, day, size_in_words
from mystic_client.model.timeline import DELETED, FILE_SIGN, Entry
from mystic_client.tui.widgets.strips import shorten, shorten_middle
from mystic_client.tui.widgets.wrap import wrap

GROUP_GAP_US: Final = 5 * 60 * 1_000_000
"""Messages of one author that follow within this time share one heading."""
BAR: Final = "▌"
GUTTER: Final = 2
STATE_CELLS: Final = 2
MIN_NAME_CELLS: Final = 24
"""Of a file's name at least so much is shown in one row with everything else."""
RIGHT: Final = 2 + STATE_CELLS
"""Cells around the time at the right end: a space on each side, and the state of the message."""
_URL = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}]")
_STATES: Final = {"pending": "○", "sent": "✓", "delivered": "✓✓", "read": "✓✓", "failed": "✗"}
_EDITED: Final = " (edited)"
_EVENT_SIGN: Final = "·"


class Piece(Struct, frozen=True):
    """Text in one style.

    `act` and `about` say what a click means: ("author", name), ("link", url), ("retry", cid), ("jump", number),
    ("get" or "folder", number).
    """

    text: str
    style: str
    act: str = ""
    about: str = ""


class Line(Struct, frozen=True):
    """One row. `kind` styles all of it ("rule": it is between messages); `bar` styles the bar in front, if any.

    `body` is what copying takes, and `glue` what copying puts between this row and the one above: a row of a broken
    line joins with a space or nothing.
    """

    kind: str
    pieces: tuple[Piece, ...]
    bar: str = ""
    right: tuple[Piece, ...] = ()
    body: bool = True
    glue: str = "\n"

    @property
    def text(self) -> str:
        """What copying takes; a remark of the client's own is no part of it."""
        return "".join(piece.text for piece in self.pieces if piece.style != "edited")


class Shape(Struct, frozen=True):
    """What decides how entries look, beside themselves. `width` in cells; `now_us` for "Today"; `roomy`: blank rows
    between authors; `new_from`: the first unread number, 0 for none; `own_name` is highlighted in texts; up to the
    numbers `delivered` and `read` the others have got and read what is one's own; `cards` are the files of messages
    that were asked for, by number."""

    width: int
    now_us: int
    own_name: str = ""
    roomy: bool = True
    new_from: int = 0
    zone: tzinfo | None = None
    time_format: str = "%H:%M"
    delivered: int = 0
    read: int = 0
    cards: Mapping[int, Card] = {}

    @property
    def time_cells(self) -> int:
        """How wide a time is."""
        return cell_len(clock(self.now_us, self.zone, self.time_format))

    @property
    def is_narrow(self) -> bool:
        """Whether there is no room for times at the right end."""
        return self.width < 35 + self.time_cells

    @property
    def text_cells(self) -> int:
        """How wide the text of a message may be."""
        return self.width - GUTTER - (0 if self.is_narrow else RIGHT + self.time_cells)


def lay_out(entry: Entry, previous: Entry | None, shape: Shape) -> list[Line]:
    """The rows of an entry, which depend on the one before it."""
    lines = list(_separators(entry, previous, shape))
    joined = not lines and continues(entry, previous)
    if not joined and not lines and previous is not None and shape.roomy and _is_said(entry, previous):
        lines.append(Line("rule", (), body=False))
    if entry.is_said:
        lines.extend(_message(entry, previous, shape, joined=joined))
    else:
        lines.extend(_quiet(entry, shape))
    return lines


def guess_height(entry: Entry, width: int) -> int:
    """About how many rows an entry has, without wrapping it."""
    rows = len(entry.text) // max(1, width - GUTTER) + 1
    return rows + (1 if entry.is_said else 0) + (1 if entry.reply_to else 0) + (1 if entry.file and entry.text else 0)


def continues(entry: Entry, previous: Entry | None) -> bool:
    """Whether a message goes under the heading of the one before it."""
    return (
        previous is not None
        and entry.kind == previous.kind == "message"
        and entry.author_id == previous.author_id
        and entry.author == previous.author
        and 0 <= entry.time_us - previous.time_us < GROUP_GAP_US
    )


def _is_said(entry: Entry, previous: Entry) -> bool:
    return entry.is_said or previous.is_said


def _separators(entry: Entry, previous: Entry | None, shape: Shape) -> Iterator[Line]:
    today = day(entry.time_us, shape.now_us, shape.zone)
    if previous is None or today != day(previous.time_us, shape.now_us, shape.zone):
        yield _rule(today, "date", shape.width - GUTTER)
    if shape.new_from and not entry.local and entry.place >= shape.new_from > (previous.place if previous else 0):
        yield _rule("new", "new", shape.width - GUTTER)


def _rule(words: str, style: str, width: int) -> Line:
    left = max(0, (width - cell_len(words) - 2) // 2)
    right = max(0, width - cell_len(words) - 2 - left)
    return Line("rule", (Piece(f"{'─' * left} {words} {'─' * right}"[: max(0, width)], style),), body=False)


def state_of(entry: Entry, shape: Shape) -> str:
    """How far a message of one's own has got: "pending", "failed", "sent", "delivered", "read"; "" for others'."""
    if entry.deleted:
        return ""
    if entry.state != "sent" or not entry.number:
        return entry.state
    return "read" if entry.number <= shape.read else "delivered" if entry.number <= shape.delivered else "sent"


def _message(entry: Entry, previous: Entry | None, shape: Shape, *, joined: bool) -> Iterator[Line]:
    kind = _kind(entry)
    bar = kind if kind in ("broadcast", "announcement") else f"author:{entry.author}"
    time = clock(entry.time_us, shape.zone, shape.time_format)
    state = state_of(entry, shape)
    if not joined:
        yield Line(kind, tuple(_heading(entry, f"{time} {_STATES.get(state, '')}" if shape.is_narrow else "")), bar)
    if entry.reply_to:
        yield _quote(entry, kind, bar, shape.width - GUTTER)
    shows_time = not joined or previous is None or clock(previous.time_us, shape.zone, shape.time_format) != time
    right = () if shape.is_narrow else _right(state, time if shows_time else " " * shape.time_cells)
    card = list(_card(entry, shape))
    for number, (pieces, glue) in enumerate([*(_body(entry, shape) if entry.text or not card else ()), *card]):
        yield Line(kind, pieces, bar, right if number == 0 else (), body=not entry.deleted, glue=glue)
    if entry.state == "failed" or (entry.note and not _is_said_before(entry, previous, state)):
        yield from _note(entry, kind, bar, shape.width - GUTTER)


def _kind(entry: Entry) -> str:
    if entry.announcement:
        return "announcement"
    return "broadcast" if entry.kind == "broadcast" else "own" if entry.own else "mention" if entry.mention else "plain"


def _is_said_before(entry: Entry, previous: Entry | None, state: str) -> bool:
    """Whether a remark that somebody is away needs no row: they have got it meanwhile, or it was said just before."""
    return entry.away and (
        state in ("delivered", "read") or (previous is not None and previous.away and continues(entry, previous))
    )


def _heading(entry: Entry, time: str) -> Iterator[Piece]:
    yield Piece(entry.author, f"author:{entry.author}", "author", entry.author)
    if entry.announcement:
        yield Piece("  announces", "announcement")
    elif entry.kind == "broadcast":
        yield Piece("  to everybody", "broadcast")
    if time:
        yield Piece(f"  {time}", "time")


def _quote(entry: Entry, kind: str, bar: str, width: int) -> Line:
    words = shorten(f"↳ {entry.quote or '…'}", width)
    return Line(kind, (Piece(words, "quote", "jump", str(entry.reply_to)),), bar, body=False)


def _body(entry: Entry, shape: Shape) -> Iterator[tuple[tuple[Piece, ...], str]]:
    """The rows of a message's text, with what joins each to the one above."""
    if entry.deleted:
        yield (Piece(DELETED, "deleted"),), "\n"
        return
    rows = list(_rows(entry.text, shape.text_cells, shape.own_name if not entry.own else ""))
    if entry.edited:
        pieces, glue = rows[-1]
        room = shape.text_cells - sum(cell_len(piece.text) for piece in pieces)
        if room >= len(_EDITED):
            rows[-1] = (*pieces, Piece(_EDITED, "edited")), glue
        else:
            rows.append(((Piece(_EDITED.strip(), "edited"),), ""))
    yield from rows


def _card(entry: Entry, shape: Shape) -> Iterator[tuple[tuple[Piece, ...], str]]:
    """What a message brought: its name and size, how far it is, and what can be done with it."""
    if entry.file is None:
        return
    card, room = shape.cards.get(entry.number, NEW), shape.text_cells - cell_len(FILE_SIGN) - 1
    rest = [Piece(f"{size_in_words(entry.file.size)}  ", "file-words")]
    rest += [Piece(f"{card.words}  ", "file-words")] if card.words else []
    rest += [Piece(f" {card.label} ", "button", card.act, str(entry.number))] if card.act else []
    cells = sum(cell_len(piece.text) for piece in rest)
    sign = Piece(f"{FILE_SIGN} ", "file")
    if room - cells - 2 >= min(MIN_NAME_CELLS, cell_len(entry.file.name)):
        name = shorten_middle(entry.file.name, room - cells - 2)
        yield (sign, Piece(f"{name}  ", "file"), *rest), "\n"
        return
    yield (sign, Piece(shorten_middle(entry.file.name, room), "file")), "\n"
    while cells > room and len(rest) > 1 and rest[-1].act:  # no room for all: what can be done counts most
        cells -= cell_len(rest.pop(0).text)
    yield (Piece("  ", "file"), *rest), " "


def _right(state: str, time: str) -> tuple[Piece, ...]:
    mark = _STATES.get(state, "")
    return (Piece(f" {time} ", "time"), Piece(f"{mark:<{STATE_CELLS}}", f"state-{state or 'none'}"))


def _note(entry: Entry, kind: str, bar: str, width: int) -> Iterator[Line]:
    style = "error" if entry.state == "failed" else "note"
    rows = [row for row, _ in _rows(entry.note or "not sent", width)]
    for number, row in enumerate(rows):
        pieces = tuple(Piece(piece.text, style) for piece in row)
        if entry.state == "failed" and number == len(rows) - 1:
            cid = entry.cid.hex()
            buttons = (Piece("Retry", "button", "retry", cid), Piece("  ", style), Piece("Drop", "button", "drop", cid))
            if sum(cell_len(piece.text) for piece in pieces) + 13 > width:
                yield Line(kind, pieces, bar, body=False)
                pieces = buttons
            else:
                pieces = (*pieces, Piece("  ", style), *buttons)
        yield Line(kind, pieces, bar, body=False)


def _quiet(entry: Entry, shape: Shape) -> Iterator[Line]:
    """Comings and goings, and the words of the server and of the client."""
    style = {"event": "event", "error": "error"}.get(entry.kind, "notice")
    sign = {"event": _EVENT_SIGN, "error": "✗"}.get(entry.kind, "›")
    right = () if shape.is_narrow else _right("", clock(entry.time_us, shape.zone, shape.time_format))
    for number, (pieces, glue) in enumerate(_rows(entry.text, shape.text_cells - 2)):
        front = Piece(f"{sign} " if number == 0 else "  ", style)
        plain = tuple(Piece(piece.text, style, piece.act, piece.about) for piece in pieces)
        yield Line("quiet", (front, *plain), "", right if number == 0 else (), glue=glue)


def _rows(text: str, width: int, name: str = "") -> Iterator[tuple[tuple[Piece, ...], str]]:
    """The rows of a text with what joins each to the one above."""
    for line in text.expandtabs(4).split("\n"):
        marks = _marks(line, name)
        before = 0
        for number, (start, end) in enumerate(wrap(line, width)):
            glue = "\n" if number == 0 else " " if start > before else ""
            yield tuple(_pieces(line, start, end, marks)), glue
            before = end


def _marks(line: str, name: str) -> list[tuple[int, int, str]]:
    """Links and one's own name in a line, as (start, end, style), in order and apart."""
    found = [(match.start(), match.end(), "link") for match in _URL.finditer(line)] if "://" in line else []
    if name:
        names = (match.span() for match in mention_pattern(name).finditer(line))
        found += [(start, end, "name") for start, end in names if not any(a < end and start < b for a, b, _ in found)]
    return sorted(found)


def _pieces(line: str, start: int, end: int, marks: list[tuple[int, int, str]]) -> Iterator[Piece]:
    for mark_start, mark_end, style in marks:
        if mark_end <= start or mark_start >= end:
            continue
        if mark_start > start:
            yield Piece(line[start:mark_start], "text")
        about = line[mark_start:mark_end] if style == "link" else ""
        yield Piece(line[max(start, mark_start) : min(end, mark_end)], style, "link" if about else "", about)
        start = min(end, mark_end)
    if start < end:
        yield Piece(line[start:end], "text")
