"""The student's side never imports the instructor's."""

from __future__ import annotations

import ast
from pathlib import Path

import dlquiz

PACKAGE = Path(dlquiz.__file__).parent


def imported(source: str) -> set[str]:
    """The top-level names of what a source imports anywhere in it, by statement or by a call with a literal."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            first = node.value.partition(".")[0]
            if first == "grader" and " " not in node.value:
                names.add(first)
    return names


def test_no_module_of_dlquiz_imports_grader() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    assert len(modules) > 15
    assert [str(file) for file in modules if "grader" in imported(file.read_text(encoding="utf-8"))] == []


def test_the_search_sees_every_way_to_import() -> None:
    for source in (
        "import grader.cli as c",
        "def f():\n    from grader import cli",
        "__import__('grader.result')",
    ):
        assert "grader" in imported(source)
    assert "grader" not in imported('"""The grader reads it."""\nfrom .grader import x\n')
