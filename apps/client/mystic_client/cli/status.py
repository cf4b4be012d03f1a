"""What a command's exit status says, and the error that leads to one."""

from enum import IntEnum


class Status(IntEnum):
    """Exit statuses that scripts rely on."""

    DONE = 0
    REFUSED = 1
    """The server said no, or there is no such thing."""
    USAGE = 2
    """The command line, or a settings file, makes no sense."""
    NO_SERVER = 3
    """There is no server, or there is none any more."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count."""
    TERMINATED = 143
    """SIGTERM, as shells count."""


class Failure(Exception):
    """Ends the command with a status, and a sentence for standard error."""

    def __init__(self, status: Status, text: str) -> None:
        super().__init__(text)
        self.status = status
