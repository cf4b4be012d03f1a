"""The terminal program: it owns the session and joins it with the screens.

session --heard--> Line (fills the store) --changed--> at most one `flush` per frame --follow--> screens
screens --messages--> the handlers here --> Deeds, Line, Filing --> session
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from textual.app import App
from textual.binding import BindingType

from mystic_client.model.choice import Choice
from mystic_client.model.commands import Command
from mystic_client.model.text import duration_in_words
from mystic_client.session.heard import Address, Ended, Online, Trying, Waiting
from mystic_client.session.verdict import FINGERPRINT_CHANGED
from mystic_client.tui import messages, theme
from mystic_client.tui.affairs import Affairs, safety_in_words, stopping
from mystic_client.tui.deeds import Deeds
from mystic_client.tui.filing import Filing
from mystic_client.tui.going import Going
from mystic_client.tui.line import Line
from mystic_client.tui.outside import Outside
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.connect import ConnectScreen
from mystic_client.tui.screens.dialogs import Question
from mystic_client.tui.screens.help import HelpScreen
from mystic_client.tui.screens.trust import FingerprintChanged
from mystic_client.tui.widgets.bars import Bannered, Place

FRAME_S: Final = 1 / 30
"""The screens follow the store this often at most."""
COUNTDOWN_S: Final = 0.5
ENDED_WITHIN_S: Final = 5.0
"""After a signal."""
ENDING_SIGNALS: Final = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class MysticApp(App[None]):
    """See the module. `choice`: where to connect to; what is missing in it is asked for."""

    TITLE = "Mystic"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, choice: Choice, outside: Outside) -> None:
        super().__init__()
        self.choice, self._outside = choice, outside
        self._line: Line | None = None
        self._chat: ChatScreen | None = None
        self._deeds: Deeds | None = None
        self._affairs: Affairs | None = None
        self._going: Going | None = None
        self._filing: Filing | None = None
        self._flush_is_due = False
        self._flushed_at_s = 0.0
        self.register_theme(theme.DARK)
        self.register_theme(theme.LIGHT)
        self.theme = outside.theme if outside.theme in self.available_themes else theme.DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.variable_defaults(self.current_theme.dark)

    def on_mount(self) -> None:
        self._connect_screen = ConnectScreen(self.choice, self._outside.recent())
        self.push_screen(self._connect_screen)
        self._countdown = self.set_interval(COUNTDOWN_S, self._tick, pause=True)
        with contextlib.suppress(RuntimeError, ValueError):  # not on Windows, and not outside the main thread
            for number in ENDING_SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, self._end_by, number)
        if self.choice.complete:
            self.call_after_refresh(self._connect, self.choice)

    @property
    def line(self) -> Line:
        """The connection at hand; there is one as soon as the user has asked for one."""
        assert self._line is not None, "nothing was connected yet"
        return self._line

    # Connecting and its end.

    def _connect(self, choice: Choice, password: str = "") -> None:
        address = Address(choice.host, choice.port)
        self.choice = choice
        line = Line(choice.name, self._outside.clock.now_us, self._changed)
        self._line = line
        self._deeds = Deeds(line, self, keeps_global=self._outside.keeps_global)
        self._affairs = Affairs(self, line, self._deeds, self._outside, lambda: self._chat)
        deeds, clock = self._deeds, self._outside.clock
        self._going = Going(
            self, line, clock, lambda: self._chat, lambda group: line.do(deeds.open_group(group)), self.flush
        )
        try:
            session = self._outside.connect(address, choice.name, line.heard, password)
        except OSError as problem:
            self._connect_screen.failed(str(problem))
            return
        line.attach(session)
        filing = self._filing = Filing(self, line, self._outside, lambda: self._chat, self._changed)
        filing.attach(self._outside.carry(session, self._outside.downloads_of(choice.name), filing.heard))
        self._connect_screen.busy(str(address))
        self.run_worker(self._run(line), name="session")

    async def _run(self, line: Line) -> None:
        ended = await line.session.run()
        if self._line is line:
            await self._left(line, ended)

    async def _left(self, line: Line, ended: Ended) -> None:
        """The session is over: back to the connect screen, with the reason."""
        self._line = None
        if self._filing is not None:
            await self._filing.stop()
        await line.end(politely=False)
        if self._chat is not None:
            self._chat = None
            await self._to_connect_screen()
        if ended.code == "left":
            self._connect_screen.idle(ended.text)
        elif ended.code == "dropped":
            self._connect_screen.idle()
        elif ended.code == FINGERPRINT_CHANGED:
            self._connect_screen.failed("The server's key has changed, so nothing was sent to it.")
            self._ask_for_trust(ended)
        else:
            self._connect_screen.failed(ended.text, ended.code)

    def _ask_for_trust(self, ended: Ended) -> None:
        choice = self.choice

        def answered(trusts: bool | None) -> None:
            if not trusts:
                return
            try:
                self._outside.forget(choice.host, choice.port)
            except OSError as problem:
                self._connect_screen.failed(str(problem))
            else:
                self._connect(choice)

        address = str(Address(choice.host, choice.port))
        self.push_screen(FingerprintChanged(address, ended.known, ended.seen), answered)

    async def _to_connect_screen(self) -> None:
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        self._connect_screen = ConnectScreen(self.choice, self._outside.recent())
        await self.push_screen(self._connect_screen)

    async def _give_up(self, reason: str = "") -> None:
        """Ends an attempt that never came to anything."""
        line, self._line = self._line, None
        if line is not None:
            await line.end(politely=False)
        if reason:
            self._connect_screen.failed(reason)
        else:
            self._connect_screen.idle()

    def _open_chat(self) -> None:
        self._chat = ChatScreen(self.line.store, self._outside.clock)
        self._outside.remember(self.choice)
        self.push_screen(self._chat)

    def disconnect(self) -> None:
        """Logs out; the session's end leads back to the connect screen."""
        self.line.do(self.line.session.close())

    def _end_by(self, number: int) -> None:
        """Ends because of a signal; without the rest of the farewell if the terminal is gone, for whose answer Textual
        would wait for ever."""
        at_last = threading.Timer(ENDED_WITHIN_S, os._exit, (128 + number,))
        at_last.daemon = True
        at_last.start()
        self.call_later(self.action_quit)

    async def action_quit(self) -> None:
        line, self._line = self._line, None
        if self._filing is not None:
            await self._filing.stop()
        if line is not None:
            await line.end(politely=True)
        self.exit()

    async def on_unmount(self) -> None:
        line, self._line = self._line, None
        if self._filing is not None:
            await self._filing.stop()
        if line is not None:
            await line.end(politely=False)

    # The store, shown.

    def _changed(self) -> None:
        """Something is to be shown: once per frame, however much comes."""
        if self._flush_is_due:
            return
        self._flush_is_due = True
        wait_s = FRAME_S - (time.monotonic() - self._flushed_at_s)
        if wait_s > 0:
            self.set_timer(wait_s, self.flush)
        else:
            self.call_later(self.flush)

    def flush(self) -> None:
        """Lets the screens follow the store."""
        self._flush_is_due = False
        self._flushed_at_s = time.monotonic()
        line = self._line
        if line is None:
            return
        if self._chat is None:
            if line.was_online:
                self._open_chat()
            elif isinstance(line.state, Waiting):
                self.run_worker(self._give_up(line.state.reason))
        elif self._chat.is_ready:
            line.follow_front()
            self._chat.follow(line.store.take_changes())
            if self._affairs is not None:
                self._affairs.follow()
            if self._filing is not None:
                self._filing.follow()
            self._tick()

    def _tick(self) -> None:
        """Shows where one is; and again in a moment if that counts down. A program that only waits should sleep."""
        if self._chat is None or not self._chat.is_ready or self._line is None:
            return
        lost, ending = self._lost(self._line), stopping(self._line)
        self._chat.show_place(self._place(self._line), lost, ending)
        if lost or ending:
            self._countdown.resume()
        else:
            self._countdown.pause()

    def _place(self, line: Line) -> Place:
        own, address = line.store.own, f"{self.choice.host}:{self.choice.port}"
        match line.state:
            case Online():
                safety, operates = line.session.security, line.store.roster.is_operator(own.id)
                words = safety_in_words(safety)
                return Place(own.name, address, "online", "connected", words, safety.is_exposed, operates)
            case Waiting():
                return Place(own.name, address, "waiting", "no connection")
        return Place(own.name, address, "trying", "connecting …")

    def _lost(self, line: Line) -> Bannered | None:
        match line.state:
            case Waiting(reason):
                left_s = line.retry_at_s - asyncio.get_running_loop().time()
                words = f"Connection lost · trying again in {duration_in_words(left_s)} · {reason}"
                return Bannered(words, "bad", "try", "Try now")
            case Trying():
                return Bannered("Connection lost. Trying to reconnect …", "warning")
        return None

    # What the user did.

    def on_wanted(self, message: messages.Wanted) -> None:
        self._connect(Choice(message.name, message.host, message.port), message.password)

    async def on_stopped(self) -> None:
        await self._give_up()

    def on_typed(self, message: messages.Typed) -> None:
        self._carry_out(message.command, message.key, message.settled)

    def on_commanded(self, message: messages.Commanded) -> None:
        self._carry_out(message.command, self.line.store.front)

    def _carry_out(self, command: Command, key: str, settled: Callable[[], None] = lambda: None) -> None:
        if self._deeds is None or self._line is None:
            settled()
            return
        self._line.do(self._carried_out(self._deeds.carry_out(command, key), settled))

    async def _carried_out(self, work: Awaitable[None], settled: Callable[[], None]) -> None:
        """Where a line has led is seen before what was typed behind it is taken."""
        try:
            await work
            self.flush()
        finally:
            settled()

    def on_turned(self, message: messages.Turned) -> None:
        self.line.store.look_at(message.key)
        self.flush()

    def on_closed(self, message: messages.Closed) -> None:
        if self._deeds is not None:
            self.line.do(self._deeds.close(message.key))

    def on_people_chosen(self, message: messages.PeopleChosen) -> None:
        store = self.line.store
        people = [info.user for info in map(store.roster.info, message.ids) if info is not None]
        if people:
            store.look_at(store.open_direct(people))
            self.flush()

    def on_author_chosen(self, message: messages.AuthorChosen) -> None:
        self.on_dialog_wanted(messages.DialogWanted("person", message.name))

    def on_group_chosen(self, message: messages.GroupChosen) -> None:
        info = self.line.store.roster.groups.get(message.group_id)
        if info is not None and self._deeds is not None:
            self.line.do(self._deeds.open_group(info.group))

    def on_retried(self, message: messages.Retried) -> None:
        self.line.retry(message.cid)

    def on_dropped(self, message: messages.Dropped) -> None:
        self.line.give_up(message.cid)

    def on_drafted(self, message: messages.Drafted) -> None:
        if self._line is not None:
            self._line.keep_draft(message.key, message.text)

    def on_seen(self, message: messages.Seen) -> None:
        if self._line is not None:
            self._line.seen(message.key, message.upto)

    def on_quote_wanted(self, message: messages.QuoteWanted) -> None:
        if self._line is not None:
            self._line.pages.fetch_quote(message.key, message.number)

    def on_future_wanted(self, message: messages.FutureWanted) -> None:
        if self._line is not None:
            self._line.pages.fetch_future(message.key)

    def on_back_to_now(self, message: messages.BackToNow) -> None:
        self.line.store.back_to_now(message.key)
        self.flush()

    def on_jump_wanted(self, message: messages.JumpWanted) -> None:
        if self._going is not None:
            self._going.jump(message.key, message.number)

    def open_search(self, words: str = "") -> None:
        """Looks for messages."""
        if self._going is not None and self._line is not None:
            self._going.search(words)

    def action_search(self) -> None:
        self.open_search()

    def action_switch(self) -> None:
        if self._going is not None and self._line is not None:
            self._going.switch()

    def on_message_acted(self, message: messages.MessageActed) -> None:
        if message.act == "get" and self._filing is not None:
            self._filing.fetch_of(message.entry)
        elif message.act == "folder" and self._filing is not None:
            self._filing.open_folder_of(message.entry)
        elif self._deeds is not None:
            self.line.do(self._deeds.act(message.act, message.key, message.entry))

    def on_edit_done(self, message: messages.EditDone) -> None:
        self.line.do(self._edit(message))

    async def _edit(self, message: messages.EditDone) -> None:
        problem = await self.line.edit(message.entry.number, message.text)
        if problem:
            self.notify(problem, severity="error", markup=False)
        elif self._chat is not None:
            self._chat.edited(message.key)

    def on_past_wanted(self, message: messages.PastWanted) -> None:
        if self._line is not None:
            self._line.fetch_past(message.key)

    def on_link_chosen(self, message: messages.LinkChosen) -> None:
        self.copy_to_clipboard(message.url)
        self.notify(f"Sent to the terminal's clipboard: {message.url}", markup=False)

    def on_reconnect_wanted(self) -> None:
        self.line.try_now()

    # Files.

    def on_chat_screen_files_wanted(self) -> None:
        if self._chat is not None:
            self.open_folder(self._chat.files.table.listing.path)

    def on_folder_wanted(self, message: messages.FolderWanted) -> None:
        self.open_folder(message.path)

    def open_folder(self, path: str) -> None:
        """Shows a shared folder in the file browser."""
        if self._filing is not None:
            self._filing.open_folder(path)

    def on_files_wanted(self, message: messages.FilesWanted) -> None:
        if self._filing is not None:
            self._filing.fetch(message.wanted)

    def download(self, path: str, protocol: str = "") -> None:
        """Fetches a shared file into the user's folder."""
        if self._filing is not None:
            self._filing.fetch(((path, False),), protocol)

    def on_transport_chosen(self, message: messages.TransportChosen) -> None:
        if self._filing is not None:
            self._filing.choose_transport(message.over)

    def on_upload_wanted(self, message: messages.UploadWanted) -> None:
        if self._filing is not None:
            self._filing.upload(message)

    def on_own_folder_wanted(self, message: messages.OwnFolderWanted) -> None:
        if self._filing is not None:
            self._filing.list_own(message.typed)

    def put(self, path: str, key: str) -> None:
        """Sends a file of the user's to a conversation."""
        if self._filing is not None:
            self._filing.put(path, key)

    def on_transfer_acted(self, message: messages.TransferActed) -> None:
        if self._filing is not None:
            self._filing.act(message.number, message.act)

    def on_transfer_menu_wanted(self, message: messages.TransferMenuWanted) -> None:
        if self._filing is not None:
            self._filing.open_menu(message.number)

    # Other screens.

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def action_new_group(self) -> None:
        if self._affairs is not None:
            self._affairs.new_group()

    def action_dialog(self, what: str) -> None:
        self.on_dialog_wanted(messages.DialogWanted(what))

    def on_dialog_wanted(self, message: messages.DialogWanted) -> None:
        if self._affairs is not None and self._line is not None:
            self._affairs.open(message)

    def tell(self, text: str) -> None:
        """Says something in passing."""
        self.notify(text, markup=False)

    async def ask_user(self, question: str, yes: str, no: str) -> bool:
        """A question in front of the screen; whether the answer is yes."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def answered(said: bool | None) -> None:
            if not answer.done():
                answer.set_result(bool(said))

        self.push_screen(Question(question, yes, no), answered)
        return await answer

    def action_other_theme(self) -> None:
        self.theme = theme.LIGHT.name if self.current_theme.dark else theme.DARK.name
