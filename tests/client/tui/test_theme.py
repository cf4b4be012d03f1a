"""Colours."""

import re
from pathlib import Path

from mystic_client.tui import app as app_module
from mystic_client.tui import theme


def test_both_themes_have_the_same_variables() -> None:
    assert theme.DARK.variables.keys() == theme.LIGHT.variables.keys()
    assert (theme.variable_defaults(True), theme.variable_defaults(False)) == (
        theme.DARK.variables,
        theme.LIGHT.variables,
    )


def test_every_variable_of_the_style_sheet_has_a_value() -> None:
    css = Path(app_module.__file__).with_name("app.tcss").read_text(encoding="utf-8")
    known = {*theme.DARK.to_color_system().generate(), *theme.DARK.variables}
    assert set(re.findall(r"\$([\w-]+)", css)) - known == set()
