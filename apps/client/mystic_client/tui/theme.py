"""Mystic's own colours, dark and light, and the variables that its style sheet needs of every theme."""

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="mystic-dark",
    primary="#8aa9ff",
    secondary="#6d7fb3",
    accent="#c49bff",
    warning="#f0b35a",
    error="#ff7a85",
    success="#7ed491",
    foreground="#d9dfec",
    background="#12151f",
    surface="#181c29",
    panel="#202637",
    dark=True,
    variables={
        "name-0": "#8ab4ff", "name-1": "#7fd6c2", "name-2": "#f2a97e", "name-3": "#e59ad1",
        "name-4": "#a6d77b", "name-5": "#e8c66a", "name-6": "#b9a5ff", "name-7": "#79cdec",
        "quiet": "#77809a", "faint": "#4a5270", "own-row": "#191f31", "mention-row": "#2c2a1d", "cast-row": "#2b2130",
        "announced-row": "#332a14",
        "cursor-row": "#2f3d66", "hover-row": "#20263a", "selected-text": "#34487c", "tab-text": "#b3bad0",
        "border": "#39415c", "border-blurred": "#2a3047",
        "footer-background": "#181c29", "footer-key-foreground": "#8aa9ff", "footer-description-foreground": "#9aa3bd",
        "input-selection-background": "#8aa9ff 30%",
        "scrollbar": "#2f3650", "scrollbar-hover": "#47507a", "scrollbar-active": "#8aa9ff",
        "scrollbar-background": "#12151f", "scrollbar-background-hover": "#12151f",
        "scrollbar-background-active": "#12151f", "scrollbar-corner-color": "#12151f",
    },
)  # fmt: skip

LIGHT: Final = Theme(
    name="mystic-light",
    primary="#3457c8",
    secondary="#5b6a9c",
    accent="#7c3fc4",
    warning="#a86500",
    error="#c22f3d",
    success="#1f7f3a",
    foreground="#1f2534",
    background="#fbfbfd",
    surface="#f1f3f8",
    panel="#e6e9f2",
    dark=False,
    variables={
        "name-0": "#2458c5", "name-1": "#0b7a68", "name-2": "#b4520f", "name-3": "#a42f87",
        "name-4": "#3d7a10", "name-5": "#8a6500", "name-6": "#6340c9", "name-7": "#0a6f97",
        "quiet": "#6a738c", "faint": "#b4bace", "own-row": "#eef2fd", "mention-row": "#fdf4d8", "cast-row": "#f8e9fa",
        "announced-row": "#fdecc8",
        "cursor-row": "#cbd8fb", "hover-row": "#e6e9f2", "selected-text": "#bccdfb", "tab-text": "#464e66",
        "border": "#b9c0d6", "border-blurred": "#d5d9e6",
        "footer-background": "#f1f3f8", "footer-key-foreground": "#3457c8", "footer-description-foreground": "#5b647d",
        "input-selection-background": "#3457c8 20%",
        "scrollbar": "#c9cfe0", "scrollbar-hover": "#a7b0ca", "scrollbar-active": "#3457c8",
        "scrollbar-background": "#fbfbfd", "scrollbar-background-hover": "#fbfbfd",
        "scrollbar-background-active": "#fbfbfd", "scrollbar-corner-color": "#fbfbfd",
    },
)  # fmt: skip


def variable_defaults(dark: bool) -> dict[str, str]:
    """What the style sheet's own variables are in a theme that doesn't know them."""
    return dict((DARK if dark else LIGHT).variables)
