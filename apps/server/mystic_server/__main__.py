"""mystic-server: settings, then the server, then an exit status."""

import os
import sys

from mystic_server.config import ConfigError, parse
from mystic_server.log.base import StoreError
from mystic_server.server import Server


def main() -> int:
    """Runs until it is told to stop. 0: stopped as told; 1: could not start; 2: the settings are wrong; 130: Ctrl-C
    before it had started."""
    try:
        settings = parse(sys.argv[1:], os.environ)
    except ConfigError as error:
        print(f"mystic-server: {error}", file=sys.stderr)
        return 2
    try:
        return Server(settings).run()
    except (ConfigError, StoreError, OSError) as error:
        print(f"mystic-server: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
