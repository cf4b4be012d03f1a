"""The command line: `mystic send | tail | ls | get | users | groups | chat`.

The same session as the terminal client's, without a screen. What it prints on standard output is data, everything else
goes to standard error, and the exit status (`status.Status`) is part of the interface.
"""

from mystic_client.cli.program import main

__all__ = ["main"]
