"""What reading a student's source tells before anything of it runs: does it compile, and what is still the stub?"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stub:
    """A function that still raises NotImplementedError, by its qualified name, and the line of the `raise`."""

    name: str
    line: int


@dataclass(frozen=True)
class Broken:
    """Why a file is no Python: its line (0 when no line is at fault), the reason, and the line itself."""

    line: int
    reason: str
    source: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


def broken(file: Path) -> Broken | None:
    """Why the file cannot be compiled, or None.

    Raises:
        OSError: it cannot be read.
    """
    content = file.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, file.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        return Broken(error.lineno or 0, error.msg, (error.text or "").strip())
    except ValueError as error:
        return Broken(0, str(error))
    except (RecursionError, MemoryError):
        return Broken(0, "it is nested too deep")
    return None


def stubs(source: bytes) -> list[Stub]:
    """The functions of a source that compiles which still raise NotImplementedError, in the order of their lines."""
    found = []
    try:
        todo: list[tuple[ast.AST, str]] = [(ast.parse(source), "")]
    except (RecursionError, MemoryError):
        return []  # what compiles may still be nested too deep for a tree
    while todo:
        node, name = todo.pop()
        if isinstance(node, ast.Raise) and name and _is_stub(node.exc):
            found.append(Stub(name, node.lineno))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{name}.{node.name}" if name else node.name
        todo += [(child, name) for child in ast.iter_child_nodes(node)]
    return sorted(found, key=lambda stub: stub.line)


def _is_stub(raised: ast.expr | None) -> bool:
    if isinstance(raised, ast.Call):
        raised = raised.func
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
