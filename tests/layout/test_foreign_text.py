"""Text of other people is never parsed as markup: read from the calls in the sources.

Textual and Rich read `[` in a plain string as markup, which crashes on some input and runs actions on other. So a
string that is put together at run time reaches them as `Content`, `Text`, or with `markup=False`.
"""

from __future__ import annotations

import ast

import pytest

from tests.layout.sources import Module, is_in, modules

TEXT_WIDGETS = {"Label", "Static"}
# Their first argument is read as markup too, and they have no markup=False.
TITLED = {"Button", "Checkbox", "Collapsible", "Option", "RadioButton", "Tab", "TabPane"}
TITLES = {"border_title", "border_subtitle"}
SAFE_MAKERS = {"Content", "Text"}


def complaints(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, what is wrong) for every place where foreign text may be parsed."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (reason := _wrong_call(node)):
            found.append((node.lineno, reason))
        elif isinstance(node, ast.Assign) and any(_is_title(target) for target in node.targets):
            if not _is_safe(node.value):
                found.append((node.lineno, "a border title that is no Content"))
        elif isinstance(node, ast.ImportFrom) and node.module == "rich.markup":
            found.append((node.lineno, "rich.markup: escaping is not enough, build a Content"))
    return found


def _wrong_call(call: ast.Call) -> str | None:
    name = _name(call.func)
    first = call.args[0] if call.args else None
    if name == "notify":
        return None if _without_markup(call) else "notify() without markup=False"
    if name in TEXT_WIDGETS and first is not None:
        return None if _without_markup(call) or _is_safe(first) else f"{name}() of a variable text without markup=False"
    if name in TITLED and first is not None:
        return f"{name}() of a text put together" if _is_put_together(first) else None
    if name == "from_markup":
        return None if isinstance(first, ast.Constant) else "from_markup() of a variable text"
    if name == "print" and isinstance(call.func, ast.Attribute) and first is not None:
        return (
            "print() to a console of a text put together"
            if _is_put_together(first) and not _without_markup(call)
            else None
        )
    return None


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_title(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr in TITLES


def _without_markup(call: ast.Call) -> bool:
    return any(
        word.arg == "markup" and isinstance(word.value, ast.Constant) and word.value.value is False
        for word in call.keywords
    )


def _is_safe(value: ast.expr) -> bool:
    """A fixed string without brackets, or something that is built as Content or Text right here."""
    if isinstance(value, ast.Constant):
        return not (isinstance(value.value, str) and "[" in value.value)
    if not isinstance(value, ast.Call):
        return False
    function = value.func
    maker = function.value if isinstance(function, ast.Attribute) else function
    return _name(maker) in SAFE_MAKERS


def _is_put_together(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return _name(value.func) in ("str", "format", "join")
    return isinstance(value, ast.JoinedStr | ast.BinOp)


def _speaks_to_a_terminal(module: Module) -> bool:
    return is_in(module.name, ("mystic_client", "mystic_server.console"))


def test_no_text_of_others_is_parsed_as_markup() -> None:
    wrong = [
        f"{module.shown}:{line}: {reason}"
        for module in modules()
        if _speaks_to_a_terminal(module)
        for line, reason in complaints(module.tree())
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "code",
    [
        "self.notify(text)",
        "Static(name)",
        "Label(f'hello {name}')",
        "Static('[b]bold[/b]')",
        "Button(f'{name}')",
        "self.border_title = name",
        "Content.from_markup(text)",
        "console.print(f'{name} joined')",
        "from rich.markup import escape",
    ],
)
def test_dangerous_calls_are_seen(code: str) -> None:
    assert complaints(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "self.notify(text, markup=False)",
        "Static(name, markup=False)",
        "Static()",
        "Label('Name')",
        "Static(Content(name))",
        "Static(Content.assemble((name, 'bold')))",
        "Button('Send')",
        "self.border_title = Content(name)",
        "Content.from_markup('[b]$name[/b]', name=name)",
        "console.print(Text(name))",
        "print(f'{name}')",
    ],
)
def test_safe_calls_are_left_alone(code: str) -> None:
    assert complaints(ast.parse(code)) == []
