"""The composer: where lines are typed.

Enter sends, ctrl+j breaks the line; up in an empty line edits one's last message; ctrl+p and ctrl+n, and up and down
in the first and last row, walk through what was sent before. While there are offers, up, down, tab and enter work on
them, and escape puts them away.

Keys can come faster than they are worked on: in one read, where the way to the terminal is slow. So what is typed
behind a line waits until that has been settled, and is neither sent with it, nor lost, nor said where the line has led
away from. And keys that edit do so at once: as bindings they would travel to the app first, and letters overtake them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from mystic_client.model.completion import Known, Offers, complete, complete_own, complete_within, own_folder
from mystic_client.model.own_files import OwnFile, pasted_files
from mystic_client.tui.messages import OwnFolderWanted
from mystic_client.tui.widgets.completions import Completions
from mystic_client.tui.widgets.pasted import FilesPasted
from mysticproto.names import clean_text

MAX_REMEMBERED: Final = 500
MAX_PASTED_CHARS: Final = 32 * 1024
SETTLED_WITHIN_S: Final = 2.0
"""After which one can type on even if the line is not settled."""
BLINKS_FOR_S: Final = 10.0
"""Without a key the cursor stands still then: a program that only waits should sleep."""


def _own_actions(bindings: Iterable[BindingType]) -> dict[str, str]:
    """What each key does to the text itself; of several bindings the last one counts."""
    plain = [binding for binding in bindings if isinstance(binding, Binding)]
    actions = {key.strip(): binding.action for binding in plain for key in binding.key.split(",")}
    return {key: action for key, action in actions.items() if "." not in action}


class Composer(TextArea):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,shift+enter,alt+enter", "break_line", "New line", show=False),
        Binding("pageup", "screen.page_view(-1)", "Older", show=False),
        Binding("pagedown", "screen.page_view(1)", "Newer", show=False),
    ]

    _ACTIONS: ClassVar[dict[str, str]] = _own_actions([*TextArea.BINDINGS, *BINDINGS])

    class Submitted(Message):
        """The user sent what is in the composer."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class PasteRefused(Message):
        """What was pasted is longer than a message may be."""

        def __init__(self, chars: int) -> None:
            super().__init__()
            self.chars = chars

    def __init__(self, offers: Completions, edit_last: Callable[[], bool], *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            compact=True,
        )
        self.known = Known()
        self._list, self._edit_last = offers, edit_last
        self._offers = Offers()
        self._sent: list[str] = []
        self._back = 0
        self._draft = ""
        self._put_away = ""
        self._offered_for: tuple[str, tuple[int, int]] = ("", (0, 0))
        self._settled = asyncio.Event()
        self._settled.set()
        self._may_blink = False
        self._used_at_s = 0.0
        self._own: tuple[str, list[OwnFile]] | None = None
        """A folder of this computer, as it was typed, and what is in it."""
        self._own_asked = False

    # Sending, and what was sent.

    def submit(self) -> None:
        """Says what is in the composer; who hears it decides whether to empty it, and MUST call `settle`."""
        self._close_offers()
        if self.text.strip():
            self._settled.clear()
            self.screen.post_message(self.Submitted(self.text))  # one's own queue holds what was typed behind it

    def settle(self) -> None:
        """What was submitted has been carried out or refused: what was typed since can go on."""
        self._settled.set()

    async def _until_settled(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await self._settled.wait()

    def accepted(self) -> None:
        """What was submitted has been carried out: remember and empty it."""
        if not self._sent or self._sent[-1] != self.text:
            self._sent = [*self._sent[1 - MAX_REMEMBERED :], self.text]
        self._back = 0
        self.set_text("")

    def set_text(self, text: str) -> None:
        """Replaces the text and puts the cursor behind it."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def action_break_line(self) -> None:
        self.insert("\n")

    def _recall(self, by: int) -> bool:
        back = self._back + by
        if not 0 <= back <= len(self._sent):
            return False
        if self._back == 0:
            self._draft = self.text
        self._back = back
        self.set_text(self._sent[-back] if back else self._draft)
        self._close_offers()
        return True

    # Keys. What is not taken here goes on to the text area's own handler.

    async def _on_key(self, event: events.Key) -> None:
        self._blink()
        await self._until_settled()
        self._offer_anew()
        if self._offers.items and self._on_offer_key(event.key):
            taken = True
        elif event.key == "enter":
            taken = True
            self.submit()
        else:
            taken = self._on_history_key(event.key) or await self._edit(event.key)
        if taken:
            event.stop()
            event.prevent_default()

    async def _edit(self, key: str) -> bool:
        action = self._ACTIONS.get(key)
        return action is not None and await self.app.run_action(action, self)

    def _on_offer_key(self, key: str) -> bool:
        match key:
            case "up" | "down":
                self._list.move(-1 if key == "up" else 1)
            case "tab" | "enter":
                self.take(self._list.chosen)
            case "escape":
                self._put_away = self.text
                self._close_offers()
            case _:
                return False
        return True

    def _on_history_key(self, key: str) -> bool:
        if key == "up" and not self.text and self._back == 0 and self._edit_last():
            return True
        if key in ("ctrl+p", "ctrl+n"):
            return self._recall(1 if key == "ctrl+p" else -1) or True
        if key == "up" and self.cursor_at_first_line and self._at_edge_row(first=True):
            return self._recall(1)
        if key == "down" and self.cursor_at_last_line and self._at_edge_row(first=False):
            return self._recall(-1)
        return False

    def _at_edge_row(self, *, first: bool) -> bool:
        """Whether the cursor is in the first or last row as drawn, long lines being broken."""
        row = self.wrapped_document.location_to_offset(self.cursor_location).y
        return row == 0 if first else row == self.wrapped_document.height - 1

    async def _on_paste(self, event: events.Paste) -> None:
        await self._until_settled()
        if files := pasted_files(event.text):
            event.stop()
            event.prevent_default()
            self.post_message(FilesPasted(files, clean_text(event.text)))
            return
        text = clean_text(event.text)
        if len(text) > MAX_PASTED_CHARS:
            event.stop()
            event.prevent_default()
            self.post_message(self.PasteRefused(len(text)))
            return
        if text != event.text:
            event.stop()
            event.prevent_default()
            self.insert(text)

    # The cursor.

    def may_blink(self, yes: bool) -> None:
        """Whether the cursor blinks while the line is used."""
        self._may_blink = self.cursor_blink = yes

    def on_mount(self) -> None:
        self.set_interval(BLINKS_FOR_S, self._rest)

    def on_focus(self) -> None:
        self._blink()

    def _blink(self) -> None:
        self._used_at_s = time.monotonic()
        self.cursor_blink = self._may_blink

    def _rest(self) -> None:
        if time.monotonic() - self._used_at_s >= BLINKS_FOR_S:
            self.cursor_blink = False

    # Offers.

    def _offer_anew(self) -> None:
        """Keys come faster than the news of what they have changed."""
        text, cursor = self._offered_for
        if text != self.text or (self._offers.items and cursor != self.cursor_location):
            self._offer()

    def on_text_area_changed(self) -> None:
        self._offer()

    def on_text_area_selection_changed(self) -> None:
        if self._offers.items:  # they were for where the cursor was
            self._offer()

    def _offer(self) -> None:
        self._offered_for = self.text, self.cursor_location
        before = self.get_text_range((0, 0), self.cursor_location)
        if own_folder(before) is None:
            self._own = None  # it may be another when it is typed anew
        after = self.get_text_range(self.cursor_location, self.document.end)
        if self.text == self._put_away or not self.has_focus:
            self._close_offers()
            return
        self._put_away = ""
        self._offers = complete_within(before, after, self.known) if after else self._fitting(before)
        self._list.offer(self._offers.items)

    def _fitting(self, before: str) -> Offers:
        folder = own_folder(before)
        if folder is None:
            return complete(before, self.known)
        if self._own is not None and self._own[0] == folder:
            return complete_own(before, self._own[1])
        if not self._own_asked:  # one at a time: a disk may be slow
            self._own_asked = True
            self.post_message(OwnFolderWanted(folder))
        return Offers()

    def know_own(self, typed: str, files: list[OwnFile]) -> None:
        """What is in a folder of this computer that was asked for (`OwnFolderWanted`)."""
        self._own, self._own_asked = (typed, files), False
        self._offer()

    def take(self, index: int) -> None:
        """Puts an offer into the text."""
        if not 0 <= index < len(self._offers.items):
            return
        offers = self._offers
        self._close_offers()
        row, column = self.cursor_location
        begun = len(self.get_text_range((0, 0), (row, column))) - offers.start
        place = (row, column - begun), (row, column + offers.behind)
        self.replace(offers.items[index].text, *place, maintain_selection_offset=False)

    def _close_offers(self) -> None:
        self._offers = Offers()
        self._list.offer(())

    def on_blur(self) -> None:
        if not self._list.mouse_hover:  # a click there is meant for the offers
            self._close_offers()
