"""mystic-tui [USERNAME [HOST [PORT]]] [--config FILE]: the terminal program."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mystic_client.config import ConfigError, load_config
from mystic_client.model.choice import Choice


def main(words: Sequence[str] | None = None) -> int:
    """Runs the program until the user quits. Exit status 2: the words or the settings make no sense."""
    options = _parser().parse_args(words)
    try:
        config = load_config(Path(options.config) if options.config else None)
    except ConfigError as problem:
        print(f"mystic-tui: {problem}", file=sys.stderr)
        return 2
    if config.settings.low_bandwidth:  # Textual reads these when it is imported
        os.environ.setdefault("TEXTUAL_FPS", "15")
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    from mystic_client.tui.app import MysticApp
    from mystic_client.tui.keys import let_alt_digits_be
    from mystic_client.tui.world import real_world

    let_alt_digits_be()

    MysticApp(Choice(options.username, options.host, options.port), real_world(config)).run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mystic-tui", description="Chat and files in the terminal.")
    parser.add_argument("username", nargs="?", default="", metavar="USERNAME", help="your name on the server")
    parser.add_argument("host", nargs="?", default="", metavar="HOST", help="the server (asked for if missing)")
    parser.add_argument("port", nargs="?", default=0, type=_port, metavar="PORT", help="its port")
    parser.add_argument("--config", metavar="FILE", help="another settings file")
    return parser


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and 0 < int(word) < 65536):
        raise argparse.ArgumentTypeError(f"{word!r} is no port: it must be a number from 1 to 65535")
    return int(word)


if __name__ == "__main__":
    sys.exit(main())
