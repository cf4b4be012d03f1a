"""What goes to which output."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys

import pytest

from mystic_client.cli.output import Tape, prepare, show, talk


def test_data_and_talk(capsys: pytest.CaptureFixture[str]) -> None:
    show(["one", "two"])
    talk("a word")
    assert tuple(capsys.readouterr()) == ("one\ntwo\n", "mystic: a word\n")


def test_talk_that_nobody_hears_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    talk("a word")


def test_characters_that_a_terminal_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    prepare()
    show(["naïve"])
    assert raw.getvalue() == b"na?ve\n"


async def test_a_tape_is_printed_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    tape = Tape()
    tape.add("one", "two")
    printing = asyncio.create_task(tape.print_on())
    await asyncio.sleep(0)
    tape.add("three")
    assert capsys.readouterr().out == "one\ntwo\n"
    assert tape.take() == ["three"]
    printing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await printing


def test_a_broken_pipe_leaves_no_complaint_behind() -> None:
    program = (
        "from mystic_client.cli import output\n"
        "import sys\n"
        "sys.stdin.read()\n"
        "try:\n    output.show(['x' * 100])\nexcept BrokenPipeError:\n    output.abandon()\n"
    )
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    os.close(reading)
    _, told = process.communicate(b"")
    assert (process.returncode, told) == (0, b"")


@pytest.mark.parametrize(
    ("output", "status", "told"),
    [
        pytest.param(
            "/dev/full",
            1,
            b"mystic: standard output can't be written: No space left on device\n",
            marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a disk that is always full"),
        ),
        ("", 0, b""),
    ],
)
def test_an_output_that_is_full_or_closed(output: str, status: int, told: bytes) -> None:
    program = (
        "from mystic_client.cli import look, output, program\n"
        "import sys\n"
        "async def say():\n    output.show(['x'])\n"
        "look.users = lambda place, known: say()\n"
        "sys.exit(program.main(['users']))\n"
    )
    redirect = f">{output}" if output else ">&-"
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirect}', "sh", sys.executable, "-c", program], stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, done.stderr) == (status, told)
