"""Transfers without files: the test says how each goes, and reads what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from mystic_client.model.transfer import Transfer
from mysticproto.model import ToGlobal, ToGroup, ToUsers


class FakeTransfers:
    """See the module. `asked`: what was to be fetched or sent; `did`: (act, number) of everything else."""

    def __init__(self, into: Path, changed: Callable[[Transfer], None], kept: Iterable[Transfer] = ()) -> None:
        self.into = into
        self.asked: list[dict[str, Any]] = []
        self.did: list[tuple[str, int]] = []
        self.files: dict[int, list[Transfer]] = {}
        self.times_taken_up = 0
        self.is_stopped = False
        self._changed = changed
        self._kept = list(kept)
        self._listed: dict[int, Transfer] = {}

    @property
    def transfers(self) -> list[Transfer]:
        return list(reversed(self._listed.values()))

    @property
    def states(self) -> dict[str, str]:
        """The state of each by its name."""
        return {transfer.name: transfer.state for transfer in self._listed.values()}

    def is_listed(self, number: int) -> bool:
        return number in self._listed

    def files_of(self, number: int) -> list[Transfer]:
        return self.files.get(number, [])

    def show(self, number: int, **changes: Any) -> None:
        """A transfer is another now."""
        self.put(replace(self._listed[number], **changes))

    def take_up(self) -> None:
        self.times_taken_up += 1
        for transfer in self._kept:
            self.put(transfer)
        self._kept.clear()

    async def stop(self) -> None:
        self.is_stopped = True

    # What the user asks for.

    def download(self, path: str, *, over: str = "tcp", message: int = 0, called: str = "") -> int:
        self.asked.append({"path": path, "over": over, "message": message})
        return self._new(path, over=over, message=message, called=called)

    def download_folder(self, path: str, *, over: str = "tcp") -> int:
        self.asked.append({"folder": path, "over": over})
        return self._new(path, over=over, kind="folder")

    def upload(
        self,
        file: Path,
        *,
        folder: str = "",
        to: ToGlobal | ToUsers | ToGroup | None = None,
        text: str = "",
        whither: str = "",
    ) -> int:
        self.asked.append({"file": file, "folder": folder, "to": to, "text": text})
        return self._new(str(file), kind="upload", whither=whither)

    def pause(self, number: int) -> None:
        self._act("pause", number, "paused")

    def resume(self, number: int) -> None:
        self._act("resume", number, "queued")

    def cancel(self, number: int) -> None:
        self._act("cancel", number, "cancelled")

    def retry(self, number: int) -> None:
        self._act("retry", number, "queued")

    def verify(self, number: int) -> None:
        self._act("verify", number, "verifying")

    def remove(self, number: int) -> None:
        self.did.append(("remove", number))
        self._changed(self._listed.pop(number))

    def clear(self) -> None:
        self.did.append(("clear", 0))

    def _act(self, act: str, number: int, state: str) -> None:
        self.did.append((act, number))
        self.show(number, state=state)

    def _new(self, path: str, **more: Any) -> int:
        number = max(self._listed, default=0) + 1
        self.put(Transfer(number, path, "queued", **more))
        return number

    def put(self, transfer: Transfer) -> None:
        """There is this one, as it is now."""
        self._listed[transfer.number] = transfer
        self._changed(transfer)
