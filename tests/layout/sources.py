"""The sources as data for the layout tests: which modules there are, and what each imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "mysticproto": ROOT / "libs" / "mysticproto" / "mysticproto",
    "mystic_server": ROOT / "apps" / "server" / "mystic_server",
    "mystic_client": ROOT / "apps" / "client" / "mystic_client",
}


@dataclass(frozen=True)
class Module:
    """A module of ours: its dotted name and its file."""

    name: str
    path: Path

    @property
    def shown(self) -> str:
        return str(self.path.relative_to(ROOT))

    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), filename=str(self.path))


def is_in(name: str, rooms: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of the rooms or inside one."""
    return any(name == room or name.startswith(room + ".") for room in rooms)


@cache
def modules() -> tuple[Module, ...]:
    return tuple(module for package, folder in PACKAGES.items() for module in _modules_of(package, folder))


def _modules_of(package: str, folder: Path) -> list[Module]:
    return [Module(_name_of(package, path.relative_to(folder)), path) for path in sorted(folder.rglob("*.py"))]


def _name_of(package: str, path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imports_of(module: Module) -> list[tuple[int, str]]:
    """Every import in the module, inside functions and for type checking too, as (line, dotted name)."""
    names = {known.name for known in modules()}
    found = []
    for node in ast.walk(module.tree()):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base_of(module, node)
            full_names = [f"{base}.{alias.name}" for alias in node.names]
            found += [(node.lineno, full if full in names else base) for full in full_names]
    return sorted(set(found))


def _base_of(module: Module, node: ast.ImportFrom) -> str:
    """The absolute name of what a `from ... import` imports from."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    depth = node.level - (1 if module.path.name == "__init__.py" else 0)
    return ".".join([*parts[: len(parts) - depth], *([node.module] if node.module else [])])
