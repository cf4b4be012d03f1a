"""What a widget tells its screen of a paste."""

from collections.abc import Sequence
from pathlib import Path

from textual.message import Message


class FilesPasted(Message):
    """The user pasted, or dropped onto the terminal, what names these files."""

    def __init__(self, files: Sequence[Path], text: str) -> None:
        super().__init__()
        self.files, self.text = tuple(files), text
