"""The talking part of the chat screen: one conversation, the line to type in, and what is answered or edited there.

What a message can be asked for comes from the view (`MessageActed`), its menu, or the line; what the screen can do by
itself it does, the rest goes on to the app. It also notices what the user has seen: the conversation is in front, the
terminal has the focus, and the message is on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Static

from mystic_client.model.commands import CommandError, parse
from mystic_client.model.store import Store
from mystic_client.model.talk import Talk
from mystic_client.model.text import counted
from mystic_client.model.timeline import Entry, quote_of
from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import (
    BackToNow,
    Drafted,
    Dropped,
    EditDone,
    JumpWanted,
    MessageActed,
    Retried,
    Seen,
    Typed,
    UploadWanted,
)
from mystic_client.tui.screens.dialogs import Question
from mystic_client.tui.screens.message_menu import MessageMenu
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.completions import Completions
from mystic_client.tui.widgets.compose_bar import ComposeBar
from mystic_client.tui.widgets.composer import Composer
from mystic_client.tui.widgets.message_view import MessageView
from mystic_client.tui.widgets.pasted import FilesPasted
from mystic_client.tui.widgets.sending import SendingBar
from mysticproto.names import clean_line


class Talking(Screen[None]):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+up,ctrl+up", "message(-1)", "Select", key_display="Alt+↑", priority=True),
        Binding("alt+down,ctrl+down", "message(1)", "Message below", show=False, priority=True),
        Binding("alt+n", "first_new", "First new message", show=False, priority=True),
        Binding("ctrl+end", "newest", "Newest", show=False, priority=True),
    ]

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__()
        self.store = store
        self.shows_files = False
        self.is_ready = False
        """Whether everything is in place and can be shown something."""
        self._shown = ""
        self.view, self.pill = MessageView(clock, id="messages"), Static("", id="pill", markup=False)
        self.first_new = Static("↑ First new message", id="first-new", markup=False)
        self.offers = Completions()
        self.composer = Composer(self.offers, self._edit_last, id="composer")
        self.compose_bar = ComposeBar(id="compose-bar")
        self.sending = SendingBar(id="sending")
        self.compose_row = Horizontal(id="compose")
        self._sending: Sequence[Transfer] = ()

    def compose_talk(self) -> ComposeResult:
        """The conversation."""
        with Vertical(id="talk"):
            yield self.view
            yield self.first_new
            yield self.pill

    def compose_line(self) -> ComposeResult:
        """The line to type in."""
        yield self.compose_bar
        yield self.sending
        with self.compose_row:
            yield Button("+", id="attach", compact=True)
            yield self.composer
            yield Button("Send", id="send", compact=True)
        yield self.offers

    def on_mount(self) -> None:
        self.composer.may_blink(not self.app.is_headless)
        self.pill.tooltip, self.first_new.tooltip = "Ctrl+End", "Alt+N"
        self.watch(self.view, "scroll_y", self.attend, init=False)
        self.watch(self.app, "app_focus", self.attend, init=False)

    # What is shown.

    def show_front(self) -> None:
        """Shows the conversation in front."""
        talk = self.store.front_talk
        if self._shown != talk.key:
            self._leave(self.store.talks.get(self._shown))
            self.composer.set_text(talk.draft)
        self._shown = talk.key
        self.view.show(talk, self.store.own.name)
        self.show_line()

    def _leave(self, talk: Talk | None) -> None:
        """Another conversation comes in front; an edit that was begun is given up."""
        if talk is None:
            return
        if talk.editing:
            self.store.edit(talk.key, None)
        elif talk.draft != self.composer.text:
            self.store.draft(talk.key, self.composer.text)
            self.post_message(Drafted(talk.key, self.composer.text))

    def show_line(self) -> None:
        """Shows what the line is about."""
        talk = self.store.front_talk
        if talk.editing:
            self.compose_bar.show("✎ Editing", talk.editing.text)
        elif talk.answering:
            self.compose_bar.show("↳ Replying to", quote_of(talk.answering))
        else:
            self.compose_bar.show("", "")

    def show_sending(self, transfers: Sequence[Transfer]) -> None:
        """Shows how far the files are that are being sent here."""
        self._sending = transfers
        self.sending.show(() if self.shows_files else transfers)

    @property
    def line_text(self) -> str:
        """What is typed and would be said with a file; not an edit or an answer, since a file is neither."""
        talk = self.store.front_talk
        return "" if talk.editing or talk.answering else self.composer.text.strip()

    def sent_with_file(self, key: str) -> None:
        """What was typed in a conversation goes with a file."""
        self.store.draft(key, "")
        self.post_message(Drafted(key, ""))
        if key == self.store.front:
            self.composer.set_text("")

    def attend(self) -> None:
        """Notices what the user sees."""
        talk, view = self.store.front_talk, self.view
        if not self.is_ready or view.talk is not talk:
            return
        looks = self.app.app_focus and self.is_current and not self.shows_files and not talk.in_past
        self.store.attend(looks and view.following)
        upto = view.last_seen if looks else 0
        if upto > talk.read_upto:
            self.post_message(Seen(talk.key, upto))
        self.first_new.display = not self.shows_files and view.is_above(talk.new_from)

    def on_screen_resume(self) -> None:
        self.attend()

    # The line.

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        talk = self.store.front_talk
        if talk.editing:
            self.post_message(EditDone(talk.key, talk.editing, event.text.strip()))
            self.composer.settle()
            return
        command = parse(event.text)
        if isinstance(command, CommandError):
            self.notify(command.text, severity="warning", markup=False)
            self.composer.settle()
            return
        self.composer.accepted()
        if talk.in_past:
            self.post_message(BackToNow(talk.key))
        self.post_message(Typed(self.store.front, command, self.composer.settle))

    @on(Composer.PasteRefused)
    def _too_long(self, event: Composer.PasteRefused) -> None:
        text = f"{event.chars:,} characters are too many for a message. Share a file instead."
        self.notify(text, severity="warning", markup=False)

    @on(FilesPasted)
    def _files_pasted(self, event: FilesPasted) -> None:
        """Offers to send what was dropped onto the terminal."""
        event.stop()
        names = event.files[0].name if len(event.files) == 1 else counted(len(event.files), "file")
        talk, folder = self.store.front_talk, self.files_folder
        where = f"into {folder or 'Shared files'}" if self.shows_files else talk.whither

        def answered(yes: bool | None) -> None:
            if yes and self.shows_files:
                self.post_message(UploadWanted(folder=folder, files=event.files))
            elif yes:
                self.post_message(UploadWanted(key=talk.key, files=event.files))
            elif event.text:
                self.composer.insert(event.text)

        no = "Paste the text" if event.text else "No"
        self.app.push_screen(Question(f"Send {clean_line(names)} {where}?", "Send", no), answered)

    @property
    def files_folder(self) -> str:
        """The shared folder that is shown, if one is."""
        return ""

    @on(Button.Pressed, "#attach")
    def _attach_file(self) -> None:
        self.post_message(UploadWanted(key=self.store.front))

    @on(Composer.Changed)
    def _changed(self) -> None:
        talk = self.store.front_talk
        if self._shown == talk.key and not talk.editing and talk.draft != self.composer.text:
            self.post_message(Drafted(talk.key, self.composer.text))

    @on(Button.Pressed, "#send")
    def _send(self) -> None:
        self.composer.submit()
        self.composer.focus()

    def _edit_last(self) -> bool:
        """Begins to edit the user's last message here, if there is one."""
        entry = self.store.front_talk.timeline.last_own()
        if entry is None or not any(act.name == "edit" for act in self.view.acts(entry)):
            return False
        self._edit(entry)
        return True

    def _edit(self, entry: Entry) -> None:
        key = self.store.front
        if not self.store.front_talk.editing:
            self.store.draft(key, self.composer.text)
        self.store.edit(key, entry)
        self.composer.set_text(entry.text)
        self._write()

    def _write(self) -> None:
        """Back to the line, with what it is about."""
        self.view.deselect()
        self.show_line()
        self.composer.focus()

    def edited(self, key: str) -> None:
        """The edit is done: the line is again what it was before."""
        self.store.edit(key, None)
        if key == self.store.front:
            self.composer.set_text(self.store.front_talk.draft)
            self.show_line()

    @on(ComposeBar.Closed)
    def give_up_line(self) -> None:
        """Neither answers nor edits any more."""
        talk = self.store.front_talk
        if talk.editing:
            self.edited(talk.key)
        self.store.answer(talk.key, None)
        self._write()

    # Messages.

    @on(MessageActed)
    def _acted_on(self, event: MessageActed) -> None:
        """Does what the screen can do by itself; the rest goes on to the app."""
        entry = event.entry
        if event.act in ("get", "folder"):
            return
        if event.act in ("delete", "readers", "author"):
            self._write()
            return
        event.stop()
        match event.act:
            case "menu":
                menu = MessageMenu(self.view.acts(entry), quote_of(entry), event.y, event.rows)
                self.app.push_screen(menu, lambda act: self._chosen_act(act, entry))
            case "reply":
                self._reply(entry)
            case "edit":
                self._edit(entry)
            case "copy":
                self.app.copy_to_clipboard(entry.text)
                self.notify("Sent to the terminal's clipboard.", markup=False)
            case "original":
                self.post_message(JumpWanted(event.key, entry.reply_to))
            case "retry":
                self.post_message(Retried(entry.cid))
            case "drop":
                self.post_message(Dropped(entry.cid))

    def _chosen_act(self, act: str | None, entry: Entry) -> None:
        if act:
            self.post_message(MessageActed(self.store.front, act, entry))

    def _reply(self, entry: Entry) -> None:
        if self.store.front_talk.editing:
            self.edited(self.store.front)
        self.store.answer(self.store.front, entry)
        self._write()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "message" and self.shows_files)

    def action_message(self, by: int) -> None:
        """Moves the cursor over the messages."""
        if self.shows_files or not (self.composer.has_focus or self.view.has_focus):
            return
        self.view.focus()
        self.view.action_step(by)
        if self.view.selected is None and by > 0:
            self.composer.focus()

    def step_back(self) -> bool:
        """Escape: one step back from whatever was begun here; False if nothing was."""
        talk = self.store.front_talk
        if self.view.selected is not None:
            self._write()
        elif talk.answering or talk.editing:
            self.give_up_line()
        elif talk.in_past:
            self.post_message(BackToNow(talk.key))
        else:
            return False
        return True

    # Where the view is.

    @on(MessageView.Unseen)
    def _unseen(self, event: MessageView.Unseen) -> None:
        self.pill.update(Content(f"↓ {counted(event.count, 'new message')}"))
        self.pill.display = event.count > 0

    @on(events.Click, "#pill")
    def action_newest(self) -> None:
        if self.store.front_talk.in_past:
            self.post_message(BackToNow(self.store.front))
        self.view.to_end()
        self.pill.display = False

    @on(events.Click, "#first-new")
    def action_first_new(self) -> None:
        self.view.to_first_new()

    def action_page_view(self, by: int) -> None:
        (self.view.action_page_down if by > 0 else self.view.action_page_up)()

    def on_key(self, event: events.Key) -> None:
        """What is typed while the messages have the focus is meant for the line."""
        if self.view.has_focus and self.view.takes_key(event.key):
            return
        if event.is_printable and event.character and self.focused in (None, self.view) and not self.shows_files:
            event.stop()
            self.view.deselect()
            self.composer.focus()
            self.composer.insert(event.character)
