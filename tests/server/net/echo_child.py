"""A child for the tests of `ChildProcess`: answers every body, and does a few odd things on demand."""

from __future__ import annotations

import os
import sys

from mystic_server.net.children import ParentLink


def main(arguments: list[str]) -> None:
    link = ParentLink.inherited(arguments[0])
    while (body := link.receive()) is not None:
        if body == b"die":
            os._exit(3)
        if body == b"arguments":
            body = " ".join(arguments[1:]).encode()
        elif body == b"more?":
            body = link.maybe_receive() or b"nothing"
        elif body == b"descriptors":
            body = b" ".join(name.encode() for name in os.listdir("/dev/fd"))
        link.send(body)
    if len(arguments) > 1:
        with open(arguments[1], "a", encoding="utf-8") as file:
            file.write("ended in order\n")


if __name__ == "__main__":
    main(sys.argv[1:])
