"""A line on a terminal that shows how far transfers are, drawn over and over; nothing elsewhere."""

import sys
from types import TracebackType
from typing import Final

from mystic_client.model.text import counted, duration_in_words, size_in_words, speed_in_words
from mystic_client.session.progress import Progress

BAR_CELLS: Final = 20
_CLEAR_LINE: Final = "\r\x1b[K"
_OVER: Final = ("done", "failed", "cancelled")


def progress_line(progress: Progress) -> str:
    """`12 MiB of 1.0 GiB, 3.2 MiB/s, 5 min 3 s left`"""
    parts = [f"{size_in_words(progress.received)} of {size_in_words(progress.size)}"]
    if progress.files:
        parts.insert(0, f"{progress.files_done} of {counted(progress.files, 'file')}")
    if progress.state == "running" and progress.speed_bytes_s:
        parts.append(speed_in_words(progress.speed_bytes_s))
    if progress.left_s is not None:
        parts.append(f"{duration_in_words(progress.left_s)} left")
    if progress.state in ("waiting", "hashing", "verifying"):
        parts.append(progress.state)
    return ", ".join(parts)


def bar(progress: Progress) -> str:
    """`[########            ]`, in ASCII: terminals differ."""
    full = min(1.0, progress.received / progress.size) if progress.size else 0.0
    filled = int(full * BAR_CELLS)
    return f"[{'#' * filled}{' ' * (BAR_CELLS - filled)}]"


def in_all(under_way: list[Progress]) -> Progress:
    """Several transfers as one."""
    if len(under_way) == 1:
        return under_way[0]
    speed = sum(progress.speed_bytes_s for progress in under_way)
    size, received = (sum(getattr(one, field) for one in under_way) for field in ("size", "received"))
    left_s = (size - received) / speed if speed else None
    return Progress("", "running", size, received, speed, left_s)


class Meter:
    """Hears of any number of transfers through `told`; leaves an empty line at the end."""

    def __init__(self, *, at_terminal: bool | None = None) -> None:
        self._at_terminal = _is_terminal() if at_terminal is None else at_terminal
        self._under_way: dict[str, Progress] = {}

    def told(self, progress: Progress) -> None:
        """A transfer is so far."""
        if progress.state in _OVER:
            self._under_way.pop(progress.path, None)
        else:
            self._under_way[progress.path] = progress
        self._draw()

    def __enter__(self) -> "Meter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._under_way.clear()
        self._draw()

    def _draw(self) -> None:
        if not self._at_terminal:
            return
        shown = in_all(list(self._under_way.values())) if self._under_way else None
        sys.stderr.write(_CLEAR_LINE + (f"{bar(shown)} {progress_line(shown)}" if shown else ""))
        sys.stderr.flush()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
