"""The client's settings: a TOML file in the platform's folder for them, or one that the user names.

    Linux    ~/.config/mystic/config.toml                                   state in ~/.local/share/mystic
    macOS    ~/Library/Application Support/mystic/config.toml               state in the same folder
    Windows  %LOCALAPPDATA%\\mystic\\config.toml                            state in the same folder

`MYSTIC_CONFIG_HOME` names another folder for both. A missing file means that nothing is set; a wrong one is an error
that names the line, because a setting that is silently ignored is worse than none.
"""

import os
import re
import tomllib
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

APP = "mystic"
FILE_NAME = "config.toml"
MAX_TIME_CHARS = 40


class ConfigError(Exception):
    """A settings file can't be read or makes no sense; the sentence names it, and the line."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a user can set. The names are those of the file."""

    download_folder: str = ""
    """Where downloads go, into a folder named after the user. "~" is the home folder; empty: "Mystic" in Downloads."""

    theme: str = ""
    """The colours of the terminal client, by Textual's name for them; empty: Mystic's own."""

    keep_hearing_global: bool = False
    """Whether to go on hearing the global conversation after creating or joining a group."""

    share_read_receipts: bool = True
    """Whether others learn what you have read. If not, you don't learn it of them either."""

    low_bandwidth: bool = False
    """For slow lines to the terminal: no animations, fewer repaints."""

    time_format: str = "%H:%M"
    """How the time of a message is shown, in the codes of strftime."""


class Config(Struct, frozen=True):
    """The settings, and the folder for a client's key, the servers that it knows, and its place on each."""

    settings: Settings
    state_folder: Path

    def downloads_of(self, user: str) -> Path:
        """Where this user's downloads go. `user` is a checked name."""
        folder = self.settings.download_folder
        return (Path(folder).expanduser() if folder else _downloads() / "Mystic") / user


def load_config(file: Path | None = None) -> Config:
    """Reads `file`, which must exist, or the usual one, which need not. Raises `ConfigError`."""
    home = os.environ.get("MYSTIC_CONFIG_HOME")
    usual = (Path(home) if home else _platform_folder("config")) / FILE_NAME
    state_folder = Path(home) if home else _platform_folder("data")
    return Config(_read(file or usual, must_exist=file is not None), state_folder)


def _platform_folder(kind: str) -> Path:
    import platformdirs

    if kind == "config":
        return platformdirs.user_config_path(APP, appauthor=False)
    return platformdirs.user_data_path(APP, appauthor=False)


def _downloads() -> Path:
    import platformdirs

    return platformdirs.user_downloads_path()


def _read(path: Path, *, must_exist: bool) -> Settings:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(f"{path}: there is no such file") from None
        return Settings()
    except OSError as problem:
        raise ConfigError(f"{path}: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: this is not UTF-8 text") from None
    return _parse(path, text)


def _parse(path: Path, text: str) -> Settings:
    try:
        settings = msgspec.convert(tomllib.loads(text + "\n"), Settings)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{path}: {problem}") from None
    except msgspec.ValidationError as problem:
        raise ConfigError(f"{path}{_line_of(text, str(problem))}: {_in_words(str(problem))}") from None
    if not _is_time_format(settings.time_format):
        raise ConfigError(f"{path}{_line_of(text, '`$.time_format`')}: time_format is not for strftime")
    return settings


def _is_time_format(pattern: str) -> bool:
    try:
        shown = datetime(2000, 1, 1).strftime(pattern)
    except ValueError:
        return False
    return pattern.isprintable() and shown.isprintable() and len(shown) <= MAX_TIME_CHARS


def _in_words(problem: str) -> str:
    unknown = re.search(r"unknown field `(.*)`", problem)
    if unknown:
        return f"there is no setting {unknown[1]!r}; there are {', '.join(Settings.__struct_fields__)}"
    wrong = re.fullmatch(r"Expected `(\w+)`, got `(\w+)` - at `\$\.(\w+)`", problem)
    words = {"str": "a text in quotes", "bool": "true or false"}
    return f"{wrong[3]} must be {words[wrong[1]]}" if wrong and wrong[1] in words else problem


def _line_of(text: str, problem: str) -> str:
    """ ", line 3" for the setting that a complaint of msgspec names, or nothing."""
    key = re.search(r"`(?:\$\.)?(\w+)`\Z", problem)
    if not key:
        return ""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*\[*\s*[\"']?{re.escape(key[1])}\b", line):
            return f", line {number}"
    return ""
