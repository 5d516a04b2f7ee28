"""Hollow submissions: modules that define every name an assignment asks for and implement nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

# Each is the body of a function that takes anything.
BODIES = {
    "returns None": "return None",
    "returns 0": "return 0",
    "returns 1": "return 1",
    "returns NaN": "return float('nan')",
    "returns an empty list": "return []",
    "returns an empty array": "import numpy; return numpy.zeros(0)",
    "returns its first argument": "return next(iter([*args, *kwargs.values()]), None)",
    "raises ValueError": "raise ValueError('no')",
}


def hollow_modules(source: str) -> Iterator[tuple[str, bytes]]:
    """Hollow versions of a module, by name: every public function and class becomes a function of one of `BODIES`.

    A class's "instances" are then None, 0, or what it was given, and so are the results of calling one.
    """
    names = [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]
    for label, body in BODIES.items():
        functions = [f"def {name}(*args, **kwargs):\n    {body}\n" for name in names]
        yield label, "\n".join(functions).encode()
