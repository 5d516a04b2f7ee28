"""Cut an assignment down to some of its hidden tests."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Collection
from pathlib import Path

from grader.assignment import MANIFEST, Assignment, load


def excerpt(assignment: Assignment, tests: Collection[str], folder: Path) -> Assignment:
    """An assignment that differs from `assignment` only in that its hidden suite has no test but `tests`.

    Args:
        tests: names of test functions.
        folder: where to write it; its name is the new slug.

    Raises:
        ValueError: the suite has no test of some name.
    """
    suite = assignment.suite.read_text()
    kept, points = cut(suite, tests)
    (folder / "hidden").mkdir(parents=True)
    (folder / "hidden" / assignment.suite.name).write_text(kept)
    for part in (assignment.handout, assignment.solution):
        shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "mutants.toml").write_text("")
    head = (assignment.path / MANIFEST).read_text().partition("[[problem]]")[0]
    problems = [
        f'[[problem]]\nname = "{problem.name}"\ntitle = "{problem.title}"\npoints = {points[problem.name]:g}\n'
        for problem in assignment.problems
        if problem.name in points
    ]
    (folder / MANIFEST).write_text(head + "\n".join(problems))
    return load(folder)


def cut(suite: str, tests: Collection[str]) -> tuple[str, dict[str, float]]:
    """A suite's source without its other tests, and the points that are left for each problem.

    Raises:
        ValueError: the suite has no test of some name.
    """
    found = _tests(suite)
    missing = sorted(set(tests) - found.keys())
    if missing:
        raise ValueError(f"the suite has no test {', '.join(missing)}; it has {', '.join(found)}")
    lines = suite.splitlines(keepends=True)
    points: dict[str, float] = {}
    for name, node in found.items():
        if name in tests:
            problem, worth = _problem(node)
            points[problem] = points.get(problem, 0.0) + worth
        else:
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            assert node.end_lineno is not None
            lines[first - 1 : node.end_lineno] = [""] * (node.end_lineno - first + 1)
    return "".join(lines), points


def tests_of(assignment: Assignment, without: Collection[str]) -> list[str]:
    """Names of the hidden test functions of all problems but those named."""
    tests = _tests(assignment.suite.read_text())
    return [name for name, node in tests.items() if _problem(node)[0] not in without]


def _tests(suite: str) -> dict[str, ast.FunctionDef]:
    functions = [node for node in ast.parse(suite).body if isinstance(node, ast.FunctionDef)]
    return {node.name: node for node in functions if node.name.startswith("test_")}


def _problem(node: ast.FunctionDef) -> tuple[str, float]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.problem":
            named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in mark.keywords}
            return str(ast.literal_eval(mark.args[0])), float(named["points"])
    raise ValueError(f"{node.name} names no problem")
