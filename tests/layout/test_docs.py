"""The pages name every setting there is, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from mystic_client.config import Settings as ClientSettings
from mystic_server.config import Limits

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("limit", Limits.__struct_fields__)
def test_the_servers_page_has_every_limit_with_its_default(limit: str) -> None:
    rows = [line for line in (ROOT / "docs/server.md").read_text().splitlines() if f"`{limit}`" in line]
    default = getattr(Limits(), limit)
    assert len(rows) == 1
    assert re.search(rf"[ |]{default:g}[ ,|]", rows[0].replace(".0", "")) or f"{int(default)}" in rows[0]


@pytest.mark.parametrize("setting", ClientSettings.__struct_fields__)
def test_the_clients_page_has_every_setting(setting: str) -> None:
    assert f"| `{setting}` |" in (ROOT / "docs/client.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []
