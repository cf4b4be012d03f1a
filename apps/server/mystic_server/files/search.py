"""Looks for bytes in a file, a slice at a time: some wires can't carry files that hold their own end mark."""

import io


class Searching:
    """The search in one open file, which it owns; `size` is how much of it counts."""

    def __init__(self, fd: int, size: int, needle: bytes) -> None:
        self._source = io.FileIO(fd)
        self._left = size
        self._needle = needle
        self._tail = b""  # of the last slice: the needle may lie across two of them

    def step(self, buffer: memoryview) -> bool | None:
        """Searches the next slice. True: it is there; False: it is nowhere; None: go on.

        Raises ValueError if the file has become shorter, OSError if it can't be read.
        """
        if not self._left:
            return False
        count = self._source.readinto(buffer[: min(len(buffer), self._left)])
        if not count:
            raise ValueError("the file has become shorter")
        self._left -= count
        text = self._tail + bytes(buffer[:count])
        if self._needle in text:
            return True
        self._tail = text[-len(self._needle) + 1 :] if len(self._needle) > 1 else b""
        return None

    def close(self) -> None:
        """Closes the file."""
        self._source.close()
