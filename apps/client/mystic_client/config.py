"""The client's settings: a TOML file in the platform's folder for them, or one that the user names.

    Linux    ~/.config/mystic/config.toml                                   state in ~/.local/share/mystic
    macOS    ~/Library/Application Support/mystic/config.toml               state in the same folder
    Windows  %LOCALAPPDATA%\\mystic\\config.toml                            state in the same folder

`MYSTIC_CONFIG_HOME` names another folder for both. A missing file means that nothing is set; a wrong one is an error
that names the line, because a setting that is silently ignored is worse than none.
"""

import contextlib
import os
import re
import shutil
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
    """The settings, and the folder for a client's key, the servers that it knows, and its place on each. `file` is
    where the settings are from, though it need not exist; None: they are from nowhere."""

    settings: Settings
    state_folder: Path
    file: Path | None = None

    def downloads_of(self, user: str) -> Path:
        """Where this user's downloads go. `user` is a checked name."""
        folder = self.settings.download_folder
        return (Path(folder).expanduser() if folder else _downloads() / "Mystic") / user


def load_config(file: Path | None = None) -> Config:
    """Reads `file`, which must exist, or the usual one, which need not. Raises `ConfigError`."""
    home = os.environ.get("MYSTIC_CONFIG_HOME")
    usual = (Path(home) if home else _platform_folder("config")) / FILE_NAME
    state_folder = Path(home) if home else _platform_folder("data")
    return Config(_read(file or usual, must_exist=file is not None), state_folder, file or usual)


def keep_switch(file: Path, name: str, on: bool) -> None:
    """Sets a setting that is true or false in the file, and leaves everything else there as it was written.

    Raises `ConfigError`, also if the file has become wrong meanwhile; then it is left alone.
    """
    before = _read(file, must_exist=False)
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        after = _with_switch(text, name, on)
        if _parse(file, after) != msgspec.structs.replace(before, **{name: on}):
            raise ConfigError(f"{file}: {name} has to be set there by hand")
        _write(file, after)
    except OSError as problem:
        raise ConfigError(f"{file}: {problem.strerror or problem}") from None


def _with_switch(text: str, name: str, on: bool) -> str:
    line = f"{name} = {str(on).lower()}"
    written = re.compile(rf"^[ \t]*([\"']?){name}\1[ \t]*=[ \t]*(?:true|false)", re.MULTILINE)
    if written.search(text):
        return written.sub(line, text, count=1)
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n"


def _write(file: Path, text: str) -> None:
    """Puts a whole file in the place of another; a link to it stays one."""
    file = file.resolve()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        if file.exists():
            shutil.copymode(file, draft)
        draft.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


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
