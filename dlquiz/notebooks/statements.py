"""The top-level statements of a cell, with the names that each binds and refers to."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator, Set
from dataclasses import dataclass

Importing = ast.Import | ast.ImportFrom
Assigning = ast.Assign | ast.AnnAssign | ast.AugAssign
Defining = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_WRAPPERS = frozenset({"function", "jit", "partial", "vectorize"})
_COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})


@dataclass(frozen=True)
class Statement:
    """One top-level statement.

    `binds` are the names it sets, or whose attributes or items it sets; `uses` all the names it refers to;
    `now` those of them that it needs when it is executed, and not only when a function in it is called.
    """

    cell: int
    line: int
    text: str
    node: ast.stmt
    binds: Set[str]
    uses: Set[str]
    now: Set[str]

    @property
    def place(self) -> str:
        return f"cell {self.cell} line {self.line}"

    @property
    def first(self) -> int:
        """The line on which its text begins; a decorator comes before `line`."""
        return self.line if self.is_import else (self.node.end_lineno or self.line) - self.text.count("\n")

    @property
    def is_import(self) -> bool:
        return isinstance(self.node, Importing)

    @property
    def is_future(self) -> bool:
        return isinstance(self.node, ast.ImportFrom) and self.node.module == "__future__"

    @property
    def is_assignment(self) -> bool:
        return isinstance(self.node, Assigning)

    @property
    def is_block(self) -> bool:
        return isinstance(self.node, ast.If | ast.Try)

    @property
    def is_docstring(self) -> bool:
        return isinstance(self.node, ast.Expr) and isinstance(self.node.value, ast.Constant)

    @property
    def is_definition(self) -> bool:
        """Whether it is a function or class, or an if or try block with one in it, the main guard's aside."""
        pending: list[ast.stmt] = [self.node]
        for node in pending:
            if isinstance(node, Defining):
                return True
            if isinstance(node, ast.If) and not _is_main_guard(node):
                pending += [*node.body, *node.orelse]
            elif isinstance(node, ast.Try):
                handled = [inner for handler in node.handlers for inner in handler.body]
                pending += [*node.body, *handled, *node.orelse, *node.finalbody]
        return False

    def defines(self, known: Set[str]) -> bool:
        """Whether it is an assignment that defines a function.

        That is a lambda, another name for something `known`, or a wrapped function such as `tf.function(f)`.
        """
        if not isinstance(self.node, ast.Assign):
            return False
        value = self.node.value
        if isinstance(value, ast.Call):
            wrapper = (
                value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
            )
            return wrapper in _WRAPPERS
        if isinstance(value, ast.Name | ast.Attribute):
            return _root(value) in known
        return isinstance(value, ast.Lambda)

    def extends(self, defined: Set[str]) -> bool:
        """Whether it sets an attribute of something `defined`, such as `Layer.scale = 2`."""
        targets = _targets(self.node)
        return any(isinstance(target, ast.Attribute) and _root(target) in defined for target in targets)


def statements(number: int, lines: list[str]) -> Iterator[Statement | str]:
    """The statements of the code cell `number`, and texts that report what in it is not Python."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError as error:
        yield f"cell {number} dropped: it is not Python ({error.msg}, line {error.lineno})"
        return
    except (ValueError, RecursionError, MemoryError):
        yield f"cell {number} dropped: it is not Python (bad characters, or nested too deeply)"
        return
    for node in tree.body:
        try:
            if isinstance(node, Importing):
                yield from _imports(number, node)
            elif not isinstance(node, ast.Pass):
                yield _analysed(number, node, _segment(lines, node))
        except SyntaxError as error:
            yield f"cell {number} line {node.lineno} dropped: it is not Python ({error.msg})"
        except (ValueError, RecursionError, MemoryError):
            yield f"cell {number} line {node.lineno} dropped: nested too deeply"


def _segment(lines: list[str], node: ast.stmt) -> str:
    """The source of a top-level statement, decorators included."""
    first, last = node.lineno - 1, node.end_lineno or node.lineno
    if isinstance(node, Defining) and node.decorator_list:
        first = node.decorator_list[0].lineno - 1
        while not lines[first].lstrip().startswith("@"):
            first -= 1
    rows = [line.encode() for line in lines[first:last]]
    rows[-1] = rows[-1][: node.end_col_offset]
    rows[0] = rows[0][node.col_offset :]
    return b"\n".join(rows).decode()


def _imports(number: int, node: ast.Import | ast.ImportFrom) -> Iterator[Statement]:
    """One statement a name, so that one missing package takes no other name with it."""
    for alias in node.names:
        single: ast.stmt
        if isinstance(node, ast.Import):
            single, bound = ast.Import([alias]), alias.name.split(".")[0]
        else:
            single, bound = ast.ImportFrom(node.module, [alias], node.level), alias.name
        text = ast.unparse(single)
        compile(text, "cell", "exec", dont_inherit=True)
        yield Statement(number, node.lineno, text, single, {alias.asname or bound}, frozenset(), frozenset())


def _analysed(number: int, node: ast.stmt, text: str) -> Statement:
    # The parser accepts what the compiler does not, such as a `return` outside a function.
    compile(text, "cell", "exec", dont_inherit=True)
    table = symtable.symtable(text, "cell", "exec")
    binds = {name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported()}
    uses: set[str] = set()
    now: set[str] = set()
    pending = [(table, True)]
    for scope, at_once in pending:
        found = {name.get_name() for name in scope.get_symbols() if _refers(name, scope)}
        uses |= found
        now |= found if at_once else set()
        for child in scope.get_children():
            runs = child.get_type() == "class" or child.get_name() in _COMPREHENSIONS
            pending.append((child, at_once and runs))
    binds |= {_root(target) for target in _targets(node)}
    if isinstance(node, ast.AugAssign):
        uses.add(_root(node.target))
        now.add(_root(node.target))
    return Statement(number, node.lineno, text, node, binds - {""}, uses, now)


def _refers(name: symtable.Symbol, scope: symtable.SymbolTable) -> bool:
    """Whether a name in a scope may mean the module's name."""
    if isinstance(scope, symtable.Function):
        return name.is_global()
    return name.is_referenced() or (isinstance(scope, symtable.Class) and name.is_declared_global())


def _targets(node: ast.stmt) -> Iterator[ast.expr]:
    pending: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        pending = list(node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        pending = [node.target]
    for target in pending:
        if isinstance(target, ast.Tuple | ast.List):
            pending += target.elts
        else:
            yield target


def _root(node: ast.expr) -> str:
    """The name that an attribute or item hangs on: 'a' of `a.b[0].c`; '' if it hangs on something else."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_main_guard(node: ast.If) -> bool:
    return isinstance(node.test, ast.Compare) and _root(node.test.left) == "__name__"
