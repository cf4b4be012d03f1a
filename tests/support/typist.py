"""A client program to be killed: says numbered messages on and on, and prints what was said and heard at once.

python -m tests.support.typist STATE_FOLDER HOST PORT NAME RUN

online              there is a connection
said NAME RUN 17    the session has taken it; it must come through, whatever happens to this program
heard TEXT          from somebody else
gone                "over" was heard: everything is acknowledged, and the program ends
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mystic_client.session.connection import Session
from mystic_client.session.heard import Address, Heard, Online
from mystic_client.session.identity import load_or_make_identity
from mystic_client.session.memory import Memory
from mysticproto.model import Message, ToGlobal

MAX_UNANSWERED = 10


async def main(folder: Path, host: str, port: int, name: str, run: str) -> None:
    over = asyncio.Event()

    def heard(batch: list[Heard]) -> None:
        for one in batch:
            if isinstance(one, Online):
                tell("online")
            elif isinstance(one, Message) and one.author.name != name:
                tell(f"heard {one.text}")
                if one.text == "over":
                    over.set()

    session = Session(Address(host, port), name, load_or_make_identity(folder), heard, memory=Memory(folder))
    running = asyncio.create_task(session.run())
    await session.online()
    number = 0
    while not over.is_set():
        session.post(ToGlobal(), f"{name} {run} {number}")
        tell(f"said {name} {run} {number}")
        number += 1
        await session.drained(MAX_UNANSWERED - 1)
    await session.drained()
    await session.close()
    await running
    tell("gone")


def tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    _, folder, host, port, name, run = sys.argv
    asyncio.run(main(Path(folder), host, int(port), name, run))
