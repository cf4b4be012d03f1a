"""Settings: where they are, what they may be, and what is said when they are wrong."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from mystic_client import config
from mystic_client.config import ConfigError, Settings, keep_switch, load_config


def test_nothing_is_set_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSTIC_CONFIG_HOME", str(tmp_path / "home"))
    loaded = load_config()
    assert (loaded.settings, loaded.state_folder) == (Settings(), tmp_path / "home")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text('theme = "nord"\nkeep_hearing_global = true\n')
    assert load_config().settings == Settings(theme="nord", keep_hearing_global=True)


def test_the_platforms_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MYSTIC_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_DOWNLOAD_DIR"):
        monkeypatch.delenv(name, raising=False)
    loaded = load_config()
    assert tmp_path in loaded.state_folder.parents
    assert loaded.downloads_of("ana").parts[-2:] == ("Mystic", "ana")
    assert tmp_path in loaded.downloads_of("ana").parents


def test_a_file_that_the_user_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSTIC_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    file = tmp_path / "mine.toml"
    with pytest.raises(ConfigError, match="there is no such file"):
        load_config(file)
    file.write_text('download_folder = "~/things"')
    assert load_config(file).downloads_of("ana") == tmp_path / "me" / "things" / "ana"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("theme = ", "(at line 1"),
        ("\n\ntheme = 3", ", line 3: theme must be a text in quotes"),
        ('low_bandwidth = "yes"', ", line 1: low_bandwidth must be true or false"),
        ("# colours\ncolour = 'red'", ", line 2: there is no setting 'colour'; there are download_folder"),
        ("[tui]\ntheme = 'x'", ", line 1: there is no setting 'tui'"),
        ('time_format = "\\u0000%"', "time_format"),
        ("theme = 'a'\ntheme = 'b'\n", "(at line 2"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert str(file) in str(caught.value) and complaint in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path, complaint in ((tmp_path, "directory"), (tmp_path / "binary", "UTF-8")):
        with pytest.raises(ConfigError, match=complaint):
            load_config(path)


def test_every_setting_is_documented_where_it_is_declared() -> None:
    lines = inspect.getsource(config.Settings).splitlines()
    for name in Settings.__struct_fields__:
        index = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
        assert lines[index + 1].strip().startswith('"""'), name


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "share_read_receipts = false\n"),
        ('theme = "nord"', 'theme = "nord"\nshare_read_receipts = false\n'),
        (
            '# mine\n  "share_read_receipts"  = true # for now\nlow_bandwidth = true\n',
            "# mine\nshare_read_receipts = false # for now\nlow_bandwidth = true\n",
        ),
        ("share_read_receipts = false\n", "share_read_receipts = false\n"),
    ],
)
def test_a_switch_is_kept_and_the_rest_stays_as_it_was_written(tmp_path: Path, before: str, after: str) -> None:
    file, link = tmp_path / "mine.toml", tmp_path / "link.toml"
    file.write_text(before)
    file.chmod(0o640)
    link.symlink_to(file)
    keep_switch(link, "share_read_receipts", False)
    assert file.read_text() == after and link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(tmp_path.iterdir()) == [link, file]


def test_a_switch_is_kept_where_there_was_no_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    keep_switch(file, "low_bandwidth", True)
    assert load_config(file).settings == Settings(low_bandwidth=True)


@pytest.mark.parametrize(
    "text", ["nonsense", "unknown = 1\n", 'theme = """\nlow_bandwidth = true\n"""\n', "\xff"], ids=repr
)
def test_a_file_that_is_wrong_or_strange_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=str(file)):
        keep_switch(file, "low_bandwidth", False)
    assert file.read_bytes() == text.encode("latin-1")


def test_a_switch_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="config.toml: "):
        keep_switch(tmp_path / "file" / "config.toml", "low_bandwidth", True)
