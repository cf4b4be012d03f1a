"""Files: the shared folder that is shown, what is fetched and sent, and who is told about it.

chat screen --wants--> Filing --> Moves (the list of transfers) --changed--> at most once per frame --> chat screen
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from textual.app import App
from textual.content import Content

from mystic_client.model.own_files import OwnFile, expanded, listed, problem_of
from mystic_client.model.timeline import Entry
from mystic_client.model.transfer import Transfer
from mystic_client.session.daemon import in_daemon_thread
from mystic_client.session.heard import Online
from mystic_client.session.transfer_list import ListFull
from mystic_client.tui.line import Line
from mystic_client.tui.messages import UploadWanted
from mystic_client.tui.moves import Moves
from mystic_client.tui.outside import Outside
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.dialogs import Choosable, Menu
from mystic_client.tui.screens.upload import UploadScreen
from mystic_client.tui.widgets.transfers import deeds_for
from mysticproto.model import Refused, WatchFolder

KEYS: Final = {"space": "Space", "delete": "Del"}
MAX_FILES_IN_MENU: Final = 200


class Filing:
    """See the module. `changed` asks for a `follow` soon."""

    def __init__(
        self,
        app: App[None],
        line: Line,
        outside: Outside,
        chat: Callable[[], ChatScreen | None],
        changed: Callable[[], None],
    ) -> None:
        self._app, self._line, self._outside, self._chat, self._changed = app, line, outside, chat, changed
        self._over = "auto"
        self._moves: Moves | None = None
        self._known: dict[int, str] = {}
        """The state in which each transfer was last heard of, so that its end is told once."""
        self._keys: dict[int, str] = {}
        """The conversations that uploads go to."""
        self._is_stale = False
        self._online: Online | None = None
        self._watched: str | None = None
        self._begin = "~/"

    def attach(self, moves: Moves) -> None:
        """The list that was made with `heard` as its callback."""
        self._moves = moves

    async def stop(self) -> None:
        """Stops what is under way; it goes on at the next start."""
        if self._moves is not None:
            await self._moves.stop()

    # Data down.

    def heard(self, transfer: Transfer) -> None:
        """A transfer is another now, or gone."""
        before = self._known.get(transfer.number)
        if self._moves is not None and not self._moves.is_listed(transfer.number):
            self._known.pop(transfer.number, None)
            self._keys.pop(transfer.number, None)
        else:
            self._known[transfer.number] = transfer.state
            if before not in (None, transfer.state):
                self._tell(transfer)
        self._is_stale = True
        self._changed()

    def _tell(self, transfer: Transfer) -> None:
        """Says what became of it to a user who looks elsewhere."""
        chat = self._chat()
        if transfer.state == "failed":
            self._app.notify(f"{transfer.name}: {transfer.error}", severity="error", markup=False)
        elif transfer.state == "done" and transfer.kind != "upload" and chat is not None and not chat.shows_files:
            self._app.notify(f"{transfer.name} is here: {transfer.whither or transfer.saved_to}", markup=False)

    def follow(self) -> None:
        """Lets the screen show what changed, and the server tell what changes there."""
        chat = self._chat()
        if chat is None or not chat.is_ready or self._moves is None:
            return
        state = self._line.state
        if isinstance(state, Online) and state is not self._online:
            self._online, self._watched, self._is_stale = state, None, True
            self._moves.take_up()
        self._watch(chat)
        if self._is_stale:
            self._is_stale = False
            chat.show_transfers(self._moves.transfers)
        chat.show_sending([transfer for transfer in self._moves.transfers if self._is_sent_here(transfer)])

    def _is_sent_here(self, transfer: Transfer) -> bool:
        """Whether it is on its way to the conversation in front."""
        is_over = transfer.state in ("done", "cancelled")
        return not is_over and self._keys.get(transfer.number) == self._line.store.front

    # The shared folder.

    def open_folder(self, path: str) -> None:
        """Shows a shared folder in the file browser."""
        chat = self._chat()
        if chat is not None:
            if not chat.shows_files:
                chat.turn_to_files()
            self._line.do(self._show_folder(chat, path))

    async def _show_folder(self, chat: ChatScreen, path: str) -> None:
        listing = await self._line.folder(path)
        if listing.state == "failed":
            self._app.notify(listing.error, severity="error", markup=False)
        elif chat.is_ready:
            chat.show_listing(listing)
            self._watch(chat)

    def _watch(self, chat: ChatScreen) -> None:
        """Watches the folder that is shown while it is in front, and lists it again when it has changed."""
        listing = chat.files.table.listing
        wanted = listing.path if chat.shows_files and listing.state == "shown" else None
        changed = self._line.take_changed_folders()
        if not isinstance(self._line.state, Online):
            return
        if wanted != self._watched:
            self._watched = wanted
            self._line.do(self._ask_to_watch(wanted))
        elif wanted is not None and wanted in changed:
            self._line.do(self._list_again(chat, wanted))

    async def _ask_to_watch(self, path: str | None) -> None:
        reply = await self._line.ask(lambda n: WatchFolder(n, path or "", path is not None))
        chat = self._chat()
        if path is not None and not isinstance(reply, Refused) and chat is not None:
            await self._list_again(chat, path)  # what changed before the watch began

    async def _list_again(self, chat: ChatScreen, path: str) -> None:
        listing = await self._line.folder(path)
        if listing.state == "shown" and chat.is_ready and chat.files.table.listing.path == path:
            chat.show_listing(listing)

    # Downloads.

    def choose_transport(self, over: str) -> None:
        """From now on files are asked for this way."""
        self._over = over

    def fetch(self, wanted: tuple[tuple[str, bool], ...], over: str = "") -> None:
        """Fetches shared files and folders into the user's folder."""
        if self._moves is None:
            return
        with self._complaining():
            for path, is_folder in wanted:
                start = self._moves.download_folder if is_folder else self._moves.download
                start(path, over=over or self._over)

    def fetch_of(self, entry: Entry) -> None:
        """Fetches the file that a message brought."""
        if self._moves is not None and entry.file is not None:
            with self._complaining():
                self._moves.download(entry.file.name, over=self._over, message=entry.number, called=entry.file.name)

    def open_folder_of(self, entry: Entry) -> None:
        """Opens the folder here that has the file that a message brought."""
        found = [one for one in self._listed() if one.message == entry.number and one.kind == "download"]
        if found:
            self._open(found[0])

    # Uploads.

    def upload(self, wanted: UploadWanted) -> None:
        """Sends files to a conversation or into a shared folder; asks which if that wasn't said."""
        key, folder = wanted.key, wanted.folder
        talk = self._line.store.talks.get(key)
        chat = self._chat()
        text = chat.line_text if chat is not None and talk is not None else ""
        if wanted.files:
            self._send(wanted.files, key, folder, text)
            return
        title = f"Send files {talk.whither}" if talk else f"Upload into {folder or 'Shared files'}"
        about = f"They go with what you have typed: {text}" if text else ""
        if talk is not None and talk.answering:
            about = "They go by themselves: your answer stays in the line."
        screen = UploadScreen(title, about, self._begin, _listed, self._outside.clock)
        self._app.push_screen(screen, lambda files: self._send(files or (), key, folder, text))

    def list_own(self, typed: str) -> None:
        """Lets the line know what is in a folder here, as it was typed."""
        self._line.do(self._list_own(typed))

    async def _list_own(self, typed: str) -> None:
        try:
            files = await _listed(expanded(typed))
        except OSError:
            files = []
        chat = self._chat()
        if chat is not None:
            chat.composer.know_own(typed, files)

    def put(self, path: str, key: str) -> None:
        """What was typed to be sent to a conversation."""
        file = expanded(path).absolute()
        if not path:
            self.upload(UploadWanted(key=key))
        elif problem := problem_of(file):
            self._line.complain(problem)
        else:
            self._send((file,), key, "", "")

    def _send(self, files: tuple[Path, ...], key: str, folder: str, text: str) -> None:
        talk, chat = self._line.store.talks.get(key), self._chat()
        if not files or self._moves is None:
            return
        self._begin = f"{files[0].parent}/"
        with self._complaining():
            for index, file in enumerate(files):
                if talk is None:
                    self._moves.upload(file, folder=folder, whither=f"in {folder or 'Shared files'}")
                    continue
                words = text if index == 0 else ""
                number = self._moves.upload(file, to=talk.target, text=words, whither=talk.whither)
                self._keys[number] = key
                if words and chat is not None:
                    chat.sent_with_file(key)
        self._is_stale = True
        self._changed()

    # The list.

    def act(self, number: int, act: str) -> None:
        """Does what was chosen to be done with a transfer."""
        moves = self._moves
        if moves is None:
            return
        if act == "clear":
            for transfer in moves.transfers:
                if transfer.ended:
                    moves.remove(transfer.number)
        elif act == "open":
            for transfer in self._listed(number):
                self._open(transfer)
        else:
            deeds: dict[str, Callable[[int], None]] = {
                "pause": moves.pause, "resume": moves.resume, "retry": moves.retry,
                "verify": moves.verify, "cancel": moves.cancel, "remove": moves.remove,
            }  # fmt: skip
            deeds[act](number)

    def open_menu(self, number: int) -> None:
        """Shows what can be done with a transfer, and of a folder how its files stand."""
        for transfer in self._listed(number):
            rows = [
                Choosable(deed.act, deed.words, KEYS.get(deed.key, deed.key.upper()), deed.bad)
                for deed in deeds_for(transfer)
            ]
            files = self._moves.files_of(number) if self._moves is not None else []
            if files:
                rows.append(Choosable("", "Files"))
            for file in sorted(files, key=lambda file: file.state == "done")[:MAX_FILES_IN_MENU]:
                rows.append(Choosable("file", file.path, file.in_words(), file.state == "failed"))
            self._app.push_screen(
                Menu(Content(transfer.name), transfer.in_words(), rows),
                lambda act: self.act(number, act) if act and act != "file" else None,
            )

    def _listed(self, number: int = 0) -> list[Transfer]:
        """The transfer with this number, or all."""
        transfers = self._moves.transfers if self._moves is not None else []
        return [transfer for transfer in transfers if number in (0, transfer.number)]

    def _open(self, transfer: Transfer) -> None:
        place = Path(transfer.path if transfer.kind == "upload" else transfer.saved_to)
        folder = place if transfer.kind == "folder" else place.parent
        self._line.do(self._reveal(folder))

    async def _reveal(self, folder: Path) -> None:
        problem = await in_daemon_thread(lambda: self._outside.reveal(folder))
        if problem:
            self._app.notify(problem, severity="warning", markup=False)

    @contextlib.contextmanager
    def _complaining(self) -> Iterator[None]:
        """Says why a transfer can't be begun."""
        try:
            yield
        except ListFull as problem:
            self._app.notify(str(problem), severity="error", markup=False)


async def _listed(folder: Path) -> list[OwnFile]:
    return await in_daemon_thread(lambda: listed(folder))
