"""A child for the tests of descriptors beside frames: answers each frame with what is in the file that came with it."""

from __future__ import annotations

import os
import select
import sys

from mystic_server.net.children import ParentLink


def main(arguments: list[str]) -> None:
    link = ParentLink.inherited(arguments[0])
    while not link.ended:
        select.select([link], [], [])
        for body in link.receive_all():
            fd = link.files.popleft()
            link.send(body + os.pread(fd, 100, 0))
            os.close(fd)


if __name__ == "__main__":
    main(sys.argv[1:])
