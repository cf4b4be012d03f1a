"""The words of mystic-tui."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mystic_client.__main__ import main
from mystic_client.model.choice import Choice
from mystic_client.tui.app import MysticApp


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Choice]:
    """What the program would connect to, in place of running it."""
    choices: list[Choice] = []
    monkeypatch.setenv("MYSTIC_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(MysticApp, "run", lambda app: choices.append(app.choice))
    return choices


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        ([], Choice()),
        (["zoe"], Choice("zoe")),
        (["zoe", "office"], Choice("zoe", "office")),
        (["zoe", "office", "12000"], Choice("zoe", "office", 12000)),
    ],
)
def test_the_words_say_where_to_connect(words: list[str], choice: Choice, started: list[Choice]) -> None:
    assert main(words) == 0
    assert started == [choice]


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "²"])
def test_a_port_that_is_none_is_a_mistake(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["zoe", "office", port])
    assert ended.value.code == 2
    assert "port" in capsys.readouterr().err


def test_broken_settings_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("theme = \n")
    assert main(["--config", str(broken)]) == 2
    assert "broken.toml" in capsys.readouterr().err


def test_a_slow_line_is_respected(tmp_path: Path, started: list[Choice], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_FPS", raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    (tmp_path / "config.toml").write_text("low_bandwidth = true\n")
    assert main([]) == 0
    assert os.environ["TEXTUAL_FPS"] == "15"
