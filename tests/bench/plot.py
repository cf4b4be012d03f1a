"""Pictures of what was measured: bars in groups, written as SVG by hand."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from msgspec import Struct

from tests.bench.report import Row

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 64, 56
COLOURS = ("#9aa5b1", "#d08c3c", "#2f7d6b", "#6b4fa0")
INK, LINE, PAPER = "#1f2933", "#d5dbe1", "#ffffff"
TICKS = 5


class Group(Struct, frozen=True):
    """Bars that stand together, and what is written under them; `ceiling`: what is possible at all, 0 unknown."""

    title: str
    bars: dict[str, float]
    ceiling: float = 0.0


def pictures(found: dict[str, list[Row]]) -> Iterator[tuple[str, str]]:
    """File names and what belongs in them."""
    if "udp" in found:
        yield "transfer-udp.svg", chart("A whole download over an emulated link, Mbit/s", _by_loss(found["udp"]))
    if "fairness" in found:
        title = "What is left to a cubic flow when another one joins, Mbit/s"
        yield "transfer-fairness.svg", chart(title, _by_queue(found["fairness"]))
    if "tcp" in found:
        yield "transfer-tcp.svg", chart("One file over TCP on loopback, GiB/s", _by_clients(found["tcp"]))


def _by_loss(rows: list[Row]) -> list[Group]:
    return [
        Group(
            f"{row['Mbit/s']:g} Mbit/s\n{row['RTT ms']:g} ms, {row['loss %']:g} % lost",
            {"TCP cubic": float(row["cubic"]), "TCP bbr": float(row["bbr"]), "Mystic, datagrams": float(row["udp"])},
            float(row["Mbit/s"]) * (1 - float(row["loss %"]) / 100),
        )
        for row in rows
    ]


def _by_queue(rows: list[Row]) -> list[Group]:
    queues = dict.fromkeys(row["queue KB"] for row in rows)
    return [
        Group(
            f"queue of {queue} KB\n",
            {f"{row['joins']} joins": float(row["left to cubic"]) for row in rows if row["queue KB"] == queue},
        )
        for queue in queues
    ]


def _by_clients(rows: list[Row]) -> list[Group]:
    """Mystic last, as in the other pictures."""
    rows = sorted((row for row in rows if "GiB/s" in row), key=lambda row: row["server"] == "mystic")
    return [
        Group(
            f"{clients:g} client{'s' if clients != 1 else ''}\n",
            {str(row["server"]): float(row["GiB/s"]) for row in rows if row["clients"] == clients},
        )
        for clients in sorted({float(row["clients"]) for row in rows})
    ]


def chart(title: str, groups: list[Group]) -> str:
    """An SVG picture."""
    names = list(dict.fromkeys(name for group in groups for name in group.bars))
    highest = max(max(group.ceiling, *group.bars.values()) for group in groups)
    step = _step(highest)
    top = step * TICKS
    parts = [_text(LEFT, 24, title, weight="600", size=15), *_legend(names), *_grid(step, top)]
    width = (WIDTH - LEFT - RIGHT) / len(groups)
    for at, group in enumerate(groups):
        parts += _bars(group, names, LEFT + at * width, width, top)
    style = 'font-family="system-ui, sans-serif"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" {style}>'
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{PAPER}"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", paper, *parts, "</svg>"]) + "\n"


def _step(highest: float) -> float:
    """A round number of which some reach the highest bar."""
    size = 10.0 ** (len(str(int(highest))) - 2)
    return next(size * factor for factor in (1, 2, 2.5, 4, 5, 10, 20, 25) if size * factor * TICKS >= highest)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _legend(names: list[str]) -> Iterator[str]:
    x = float(LEFT)
    for name, colour in zip(names, COLOURS, strict=False):
        yield f'<rect x="{x:g}" y="38" width="12" height="12" rx="2" fill="{colour}"/>'
        yield _text(x + 18, 48, name)
        x += 40 + 7 * len(name)


def _grid(step: float, top: float) -> Iterator[str]:
    for at in range(TICKS + 1):
        y = _y(at * step, top)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:g}" y2="{y:g}" stroke="{LINE}"/>'
        yield _text(LEFT - 8, y + 4, f"{at * step:g}", anchor="end")


def _bars(group: Group, names: list[str], x: float, width: float, top: float) -> Iterator[str]:
    bar = min(64.0, width * 0.84 / len(names))
    begin = x + (width - bar * len(names)) / 2
    for at, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
        if name in group.bars:
            value = group.bars[name]
            left, y = begin + at * bar, _y(value, top)
            height = HEIGHT - BOTTOM - y
            yield f'<rect x="{left + 1:.1f}" y="{y:.1f}" width="{bar - 2:.1f}" height="{height:.1f}" fill="{colour}"/>'
            yield _text(left + bar / 2, y - 4, f"{value:.3g}", anchor="middle", size=11)
    if group.ceiling:
        y = _y(group.ceiling, top)
        ends = f'x1="{x + width * 0.04:.1f}" x2="{x + width * 0.96:.1f}" y1="{y:.1f}" y2="{y:.1f}"'
        yield f'<line {ends} stroke="{INK}" stroke-dasharray="4 3"/>'
    for at, line in enumerate(group.title.splitlines()):
        yield _text(x + width / 2, HEIGHT - BOTTOM + 20 + 16 * at, line, anchor="middle")


def _text(x: float, y: float, words: str, anchor: str = "start", size: int = 12, weight: str = "400") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
    return f'<text {place} fill="{INK}">{escape(words)}</text>'
