"""Tests mirror the sources: `log/store.py` has `log/test_store.py`, and no test file tests something that is gone.

One source may have several test files: `test_store.py`, `test_store_crash.py`. A source that only declares (Structs,
Protocols, constants) needs none.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tests.layout.sources import PACKAGES, ROOT, Module, modules

MIRRORS = {"mysticproto": "proto", "mystic_server": "server", "mystic_client": "client"}
WITHOUT_TESTS_OF_THEIR_OWN: dict[str, str] = {}  # module: why


def mirrored() -> list[tuple[Module, Path]]:
    """Every source with the folder that its tests are in."""
    return [
        (module, ROOT / "tests" / MIRRORS[package] / module.path.parent.relative_to(PACKAGES[package]))
        for module in modules()
        if module.path.stem not in ("__init__", "__main__")
        for package in [module.name.partition(".")[0]]
    ]


def only_declares(module: Module) -> bool:
    """Whether no function of the module does anything: none at all, or bodies of a docstring or `...`."""
    functions = (node for node in ast.walk(module.tree()) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return all(isinstance(line, ast.Expr) for function in functions for line in function.body)


def test_every_source_has_a_test_file() -> None:
    missing = [
        str(folder.relative_to(ROOT) / f"test_{module.path.stem}.py")
        for module, folder in mirrored()
        if not list(folder.glob(f"test_{module.path.stem}*.py"))
        and not only_declares(module)
        and module.name not in WITHOUT_TESTS_OF_THEIR_OWN
    ]
    assert not missing, "missing:\n" + "\n".join(sorted(missing))


def test_every_test_file_has_a_source() -> None:
    stems: dict[Path, list[str]] = {}
    for module, folder in mirrored():
        stems.setdefault(folder, []).append(module.path.stem)
    strays = [
        str(path.relative_to(ROOT))
        for mirror in MIRRORS.values()
        for path in sorted((ROOT / "tests" / mirror).rglob("test_*.py"))
        if not _mirrors(path, stems.get(path.parent, []))
    ]
    assert not strays, "test files without a source:\n" + "\n".join(strays)


def _mirrors(path: Path, stems: list[str]) -> bool:
    tested = path.stem.removeprefix("test_")
    return any(tested == stem or tested.startswith(stem + "_") for stem in ("main", *stems))
