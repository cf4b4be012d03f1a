"""`mystic get`: one file, verified."""

import sys
from pathlib import Path

from mystic_client.cli.output import show, talk
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place, visiting
from mystic_client.model.text import duration_in_words, size_in_words, speed_in_words
from mystic_client.session.transfers import Progress, download

_CLEAR_LINE = "\r\x1b[K"


async def get(place: Place, path: str, output: str) -> None:
    """Saves where `output` says, over what is there, or under the user's downloads; prints where that is."""
    target = Path(output)
    if not output:
        folder, save_as = place.downloads, ""
    elif target.is_dir():
        folder, save_as = target, ""
    else:
        folder, save_as = target.parent, target.name
    async with visiting(place) as visit:
        reporter = Reporter(at_terminal=sys.stderr is not None and sys.stderr.isatty())
        done = await download(visit.session, path.strip("/"), folder, reporter, save_as=save_as)
    if done.state != "done":
        raise Failure(Status.NO_SERVER if done.code in ("not_connected", "cut") else Status.REFUSED, done.error)
    talk(f"{size_in_words(done.size)}, {'verified' if done.verified else 'NOT verified: the server gave no hash'}")
    show([done.saved_to])


def progress_line(progress: Progress) -> str:
    """`12 MiB of 1.0 GiB, 3.2 MiB/s, 5 min 3 s left`"""
    parts = [f"{size_in_words(progress.received)} of {size_in_words(progress.size)}"]
    if progress.state == "running" and progress.speed_bytes_s:
        parts.append(speed_in_words(progress.speed_bytes_s))
    if progress.left_s is not None:
        parts.append(f"{duration_in_words(progress.left_s)} left")
    if progress.state in ("waiting", "verifying"):
        parts.append(progress.state)
    return ", ".join(parts)


class Reporter:
    """Draws progress over and over on one line of a terminal, and nothing elsewhere."""

    def __init__(self, *, at_terminal: bool) -> None:
        self._at_terminal = at_terminal

    def __call__(self, progress: Progress) -> None:
        if not self._at_terminal:
            return
        over = progress.state in ("done", "failed", "cancelled")
        sys.stderr.write(_CLEAR_LINE + ("" if over else progress_line(progress)))
        sys.stderr.flush()
