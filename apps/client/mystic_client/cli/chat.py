"""`mystic chat`: lines in, lines out, in a terminal or between other programs.

Two things happen at once: what is heard goes onto a tape that one task prints, what is typed is carried out line by
line. Posts are not waited for, so that a file can be piped in; questions are, so that what comes after them sees their
effect. At the end of the input everything that was begun is finished first.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

from mystic_client.cli import keep
from mystic_client.cli.amend import marks_of
from mystic_client.cli.lines import stdin_lines
from mystic_client.cli.look import folder_lines, group_line
from mystic_client.cli.operate import ban_line
from mystic_client.cli.output import Tape, show
from mystic_client.cli.send import away_in_words
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place, Visit, visiting
from mystic_client.model import commands, keeping
from mystic_client.model.text import counted, format_line, names_in_words, size_in_words
from mystic_client.session.connection import Heard, NotConnected, Online, OutboxFull, PostState, Waiting
from mystic_client.session.transfers import download
from mysticproto import model
from mysticproto.names import name_key

IN_FLIGHT = 64
MAX_DOWNLOADS = 8
MAX_OWN_POSTS = 10_000
"""Posts whose echo from the server is waited for."""


async def chat(place: Place) -> None:
    """Until the input ends, the user leaves, or the server ends the session."""
    lines = Lines()
    async with visiting(place, lines.heard, watch=True, shows_notices=True) as visit:
        assert visit.ended is not None
        talk = Talk(visit, lines)
        typing = asyncio.create_task(talk.until_left())
        printing = asyncio.create_task(lines.tape.print_on())
        try:
            await asyncio.wait({typing, printing, visit.ended}, return_when=asyncio.FIRST_COMPLETED)
            show(lines.tape.take())
            await _judge(typing, printing, visit)
        finally:
            for task in (typing, printing):
                task.cancel()
            await asyncio.wait({typing, printing})
    show(lines.tape.take())  # what came while the session was leaving


async def _judge(typing: asyncio.Task[None], printing: asyncio.Task[None], visit: Visit) -> None:
    """Raises what the first of the three that ended has to say."""
    if printing.done():
        printing.result()
    if typing.done():
        typing.result()
    elif visit.ended is not None and visit.ended.done():
        raise visit.failure(visit.ended.result())


class Lines:
    """What is heard, as lines; and where the user is."""

    def __init__(self) -> None:
        self.tape = Tape()
        self.own = model.UserRef(0, "")
        self.focus: model.Group | None = None
        self.last_own = 0
        """The number of the user's last message; 0: there is none yet."""
        self.last_to: model.Target = model.ToGlobal()
        """Whom it was for."""
        self._own_posts: set[bytes] = set()

    def server(self, text: str) -> None:
        """Says something in the server's name."""
        self.tape.add(*(f"[SERVER] {line}" for line in text.split("\n")))

    def heard(self, batch: list[Heard]) -> None:
        for one in batch:
            match one:
                case Online(welcome, again):
                    self._welcomed(welcome, again=again)
                case Waiting(reason):
                    self.server(f"{reason}; trying again")
                case PostState():
                    self._posted(one)
                case _:
                    self._happened(one)

    def _welcomed(self, welcome: model.Welcome, *, again: bool) -> None:
        self.own, self.focus = welcome.user, welcome.focus
        self.server(
            "connected again"
            if again
            else welcome.text or f'Welcome, {welcome.user.name}. Type "mystic help" for commands.'
        )

    def _posted(self, post: PostState) -> None:
        if post.state == "pending":
            if len(self._own_posts) >= MAX_OWN_POSTS:
                self._own_posts.clear()
            self._own_posts.add(post.cid)
        elif post.state == "failed":
            self._own_posts.discard(post.cid)
            self.server(f"not sent: {post.error}")
        else:
            self._sent(post)

    def _sent(self, post: PostState) -> None:
        self.last_own, self.last_to = post.seq, post.to
        if post.unknown:
            self.server(f"nobody is called {names_in_words(post.unknown)}")
        if post.away:
            self.server(f"away, and will get it later: {names_in_words(away_in_words(post))}")

    def _happened(self, one: Heard) -> None:
        match one:
            case model.Bye(code="left"):
                return
            case model.Message(cid=cid) if cid and cid in self._own_posts:
                self._own_posts.discard(cid)  # it stands above, where it was typed
                return
            case model.GroupCreated(by=user) | model.GroupJoined(user=user) if user.id == self.own.id:
                return  # said in the answer
            case model.GroupLeft(group=group, user=user) if user.id == self.own.id:
                self.left(group)
                if one.cause == "left":
                    return
        line = format_line(one, self.own.name)
        if line is not None:
            self.tape.add(line)

    def entered(self, entered: model.Entered) -> None:
        """The session is in a group, alone with it or besides hearing global."""
        group = entered.group.group
        if entered.focus:
            self.focus = group
            self.server(f"You are in {group.name} now, and hear global again when you leave.")
        else:
            self.server(f"You have joined {group.name}, and go on hearing global.")

    def left(self, group: model.Group) -> None:
        """The session hears global again if this was the group it was in."""
        if self.focus is not None and self.focus.id == group.id:
            self.focus = None


class Talk:
    """Carries out what is typed."""

    def __init__(self, visit: Visit, lines: Lines) -> None:
        self._visit = visit
        self._lines = lines
        self._downloads: set[asyncio.Task[None]] = set()

    async def until_left(self) -> None:
        """Returns when the user left, or when the input ended and everything was sent and fetched."""
        try:
            async with aclosing(stdin_lines()) as typed:
                async for line in typed:
                    if not await self._carry_out(line):
                        return
            await self._visit.session.drained()
            if self._downloads:
                await asyncio.wait(self._downloads)
        finally:
            for task in self._downloads:
                task.cancel()
            if self._downloads:
                await asyncio.wait(self._downloads)

    async def _carry_out(self, line: str) -> bool:
        """Whether to go on."""
        command = commands.parse(line)
        if command == commands.Say(""):
            return True
        if isinstance(command, commands.Disconnect):
            await self._visit.session.drained()
            self._lines.server("You have left the chat. Goodbye!")
            return False
        try:
            await self._do(command)
        except Failure as failure:
            if failure.status is not Status.REFUSED:
                raise
            self._lines.server(str(failure))
        except (NotConnected, OutboxFull) as problem:
            self._lines.server(str(problem))
        return True

    async def _do(self, command: commands.Command | commands.CommandError) -> None:
        match command:
            case commands.CommandError(text):
                self._lines.server(text)
            case commands.Help():
                self._lines.server(commands.help_text())
            case commands.Say(text):
                focus = self._lines.focus
                await self._post(model.ToGroup(focus.name) if focus else model.ToGlobal(), text)
            case commands.Direct(names, text):
                await self._post(model.ToUsers(names), text)
            case commands.Broadcast(text):
                await self._post(model.ToEveryone(), text)
            case commands.Create(name):
                await self._enter(lambda n, focus: model.CreateGroup(n, name, focus))
            case commands.Join(name):
                await self._enter(lambda n, focus: model.JoinGroup(n, name, focus))
            case commands.Leave(name):
                await self._leave(name)
            case commands.Download(path):
                self._download(path)
            case commands.Edit() | commands.Delete() | commands.WhoRead():
                await self._amend(command)
            case _:
                await self._keep(command)

    async def _post(self, to: model.Target, text: str) -> None:
        await self._visit.session.drained(IN_FLIGHT - 1)
        self._visit.session.post(to, text)

    async def _ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        """What was said before is with the server first: a slow server answers in order, and has its time for each."""
        await self._visit.session.drained()
        return await self._visit.ask(make)

    async def _enter(self, make: Callable[[int, bool], model.Request]) -> None:
        focus = not self._visit.place.config.settings.keep_hearing_global
        reply = await self._ask(lambda n: make(n, focus))
        if isinstance(reply, model.Entered):
            self._lines.entered(reply)

    async def _leave(self, name: str) -> None:
        focus = self._lines.focus
        await self._ask(lambda n: model.LeaveGroup(n, name))
        left = name or (focus.name if focus else "the group")
        if focus is not None and name_key(left) == name_key(focus.name):
            self._lines.left(focus)
        self._lines.server(f"You have left {left}.")

    async def _amend(self, command: commands.Edit | commands.Delete | commands.WhoRead) -> None:
        """What is about the user's last message."""
        await self._visit.session.drained()
        message = self._lines.last_own
        if not message:
            self._lines.server("You have not said anything yet.")
            return
        match command:
            case commands.Edit(text):
                await self._visit.ask(lambda n: model.Edit(n, message, text))
                self._lines.server("Your last message was changed.")
            case commands.Delete():
                await self._visit.ask(lambda n: model.Delete(n, message))
                self._lines.server("Your last message was deleted.")
            case commands.WhoRead():
                await self._show_readers(message, self._lines.last_to)

    async def _show_readers(self, message: int, to: model.Target) -> None:
        if not isinstance(to, model.ToGroup | model.ToUsers):
            self._lines.server("Nobody keeps count of who reads what was said to everybody.")
            return
        marks = await marks_of(self._visit, to)
        others = [mark for mark in marks if mark.user.id != self._lines.own.id]
        readers = [mark.user.name for mark in others if mark.read >= message]
        count = f"Read by {len(readers)} of {len(others)}"
        self._lines.server(f"{count}: {names_in_words(readers)}" if readers else f"{count}.")

    async def _keep(self, command: commands.Command) -> None:
        """What owners and operators do, and lists."""
        if isinstance(command, keeping.OfGroup):
            if self._lines.focus is None:
                self._lines.server("That is about a group: join it first.")
                return
            await self._ask(keep.of_group(command, self._lines.focus.name))
        elif isinstance(command, keeping.OfPeace) and not isinstance(command, keeping.Bans):
            await self._ask(keep.of_peace(command))
        else:
            await self._show(command)

    def _download(self, path: str) -> None:
        if len(self._downloads) >= MAX_DOWNLOADS:
            self._lines.server(f"{MAX_DOWNLOADS} downloads are running already")
            return
        task = asyncio.create_task(self._fetch(path))
        self._downloads.add(task)
        task.add_done_callback(self._downloads.discard)

    async def _fetch(self, path: str) -> None:
        self._lines.server(f"downloading {path}")
        done = await download(self._visit.session, path, self._visit.place.downloads, lambda progress: None)
        if done.state == "done":
            doubt = "" if done.verified else " (NOT verified: the server gave no hash)"
            self._lines.server(f"{path} is saved to {done.saved_to}, {size_in_words(done.size)}{doubt}")
        else:
            self._lines.server(f"{path} was not downloaded: {done.error}")

    async def _show(self, command: commands.Command) -> None:
        match command:
            case commands.ShowUsers():
                answer = await self._ask(model.ListUsers)
            case commands.ShowGroups():
                answer = await self._ask(model.ListGroups)
            case commands.Files(folder):
                answer = await self._ask(lambda n: model.ListFolder(n, folder))
            case keeping.Bans():
                answer = await self._ask(model.ListBans)
            case _:
                self._lines.server(elsewhere(command))
                return
        self._lines.server("\n".join(answer_lines(answer)))


def elsewhere(command: commands.Command) -> str:
    """Where to do what lines are not made for."""
    match command:
        case commands.Put():
            return "Files are sent with: mystic put FILE [FOLDER], or --to USER, or --group NAME."
        case commands.Search():
            return "The past is searched with: mystic search WORD..."
        case commands.Account():
            return "Names and passwords: mystic register, login, devices, unregister."
    return "That can't be done line by line; mystic-tui can."


def answer_lines(answer: model.Reply) -> list[str]:
    """A list as the lines under its heading."""
    match answer:
        case model.Users(users=users):
            return [f"{counted(len(users), 'user')} here:", *(f"  {info.user.name}" for info in users)]
        case model.Groups(groups=groups):
            return [f"{counted(len(groups), 'group')}:", *(f"  {group_line(info)}" for info in groups)]
        case model.Folder(entries=entries):
            return [f"{counted(len(entries), 'entry', 'entries')}:", *(f"  {line}" for line in folder_lines(entries))]
        case model.Bans(bans=bans):
            now_us = time.time_ns() // 1000
            return [f"{counted(len(bans), 'ban')}:", *(f"  {ban_line(ban, now_us)}" for ban in bans)]
    return []
