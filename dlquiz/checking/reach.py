"""Which names of a submission depend on something forbidden, by reading its sources: nothing in them is run.

A function that uses a forbidden name, whatever calls that function, and whatever calls that: all of them are reached.
A helper that nothing else refers to reaches nothing, so a comparison with the library may stand beside the answer.
"""

from __future__ import annotations

import ast
import symtable
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import decode_source

from dlquiz.checking.forbidden import find_forbidden

# By these a program can run text that this search does not see, a copy of a library's own among it.
DOUBTFUL = (
    *("exec", "eval", "compile", "runpy", "marshal", "ctypes"),
    *("importlib.util", "importlib.machinery", "inspect.getsource", "inspect.getsourcelines"),
)


@dataclass(frozen=True)
class Reach:
    """What forbidden names reach in the module that is tested.

    `names`: each name of that module that depends on one, with a sentence that says which, and where.
    `everywhere`: such a sentence if importing the module depends on one, or if its sources could not be searched.
    `uses`: every use, as "file:line: name".
    `doubts`: uses of `DOUBTFUL` in the same form. They prove nothing, and a person should look at them.
    """

    names: dict[str, str] = field(default_factory=dict)
    everywhere: str = ""
    uses: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass
class _Part:
    """One statement at the top of a module: what it binds, what it refers to, where it stands."""

    binds: set[str]
    refers: set[str]
    lines: range
    siblings: set[str] = field(default_factory=set)
    why: str = ""
    is_import: bool = False


def find_reach(sources: Mapping[str, bytes], forbidden: Iterable[str]) -> Reach:
    """What depends on forbidden names.

    Args:
        sources: file names with what they hold; the first is the module that is tested. Other files count by what
            the modules import from them, each as a whole.
        forbidden: dotted names, as in `find_forbidden`.

    Returns:
        The reach; no source makes it raise. A file that is not Python reaches nothing, since it cannot be imported
        either; one that cannot be searched to its end reaches everything.
    """
    forbidden = tuple(forbidden)
    if not forbidden:
        return Reach()
    modules: dict[str, list[_Part]] = {}
    uses: list[str] = []
    doubts: list[str] = []
    for file, source in sources.items():
        stem = file.removesuffix(".py")
        scan = find_forbidden(source, (*forbidden, *DOUBTFUL))
        lines: dict[int, str] = {}
        for use in scan.uses:
            if use.name in forbidden:
                uses.append(f"{file}:{use.line}: {use.name}")
                lines.setdefault(use.line, use.name)
            else:
                doubts.append(f"{file}:{use.line}: {use.name}")
        problem = scan.problem
        try:
            parts = list(_parts(source))
        except (SyntaxError, UnicodeDecodeError):
            continue
        except Exception as error:  # whatever a hostile text makes a parser or a codec do
            parts, problem = [], problem or str(error) or "it is nested too deep"
        if problem:
            why = f"{file} could not be searched for forbidden names: {problem}"
            parts.append(_Part(set(), set(), range(0), why=why))
        modules[stem] = parts
        for part in parts:
            found = next((line for line in part.lines if line in lines), 0)
            if part.is_import:
                part.why = _imported(part, forbidden, file)
            elif found:
                part.why = f"{file}, line {found}: {lines[found]} is forbidden in this assignment"
    _spread(modules)
    first = next(iter(sources), "").removesuffix(".py")
    names, everywhere = _reach(modules.get(first, []))
    return Reach(names, everywhere, tuple(uses), tuple(doubts))


def _reach(parts: Iterable[_Part]) -> tuple[dict[str, str], str]:
    names: dict[str, str] = {}
    everywhere = ""
    for part in parts:
        if part.why:
            for name in part.binds - {""}:
                names.setdefault(name, part.why)
            if not part.binds or "__getattr__" in part.binds:
                everywhere = everywhere or part.why
    return names, everywhere


def _spread(modules: dict[str, list[_Part]]) -> None:
    """Pass reasons on to whatever refers to what has one."""
    users: dict[tuple[str, str], list[tuple[str, _Part]]] = {}
    for stem, parts in modules.items():
        for part in parts:
            for key in [
                *((stem, name) for name in part.refers),
                *((other, "") for other in part.siblings - {stem}),
            ]:
                users.setdefault(key, []).append((stem, part))
    todo = [(stem, part) for stem, parts in modules.items() for part in parts if part.why]
    while todo:
        stem, reached = todo.pop()
        # "" stands for the module as a whole
        for name in sorted({*reached.binds, ""}):
            for user, part in users.pop((stem, name), ()):
                if not part.why:
                    part.why = reached.why
                    todo.append((user, part))


def _parts(source: bytes) -> Iterator[_Part]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = decode_source(source)
        tree = ast.parse(text)
        scopes: dict[int, list[symtable.SymbolTable]] = {}
        for scope in symtable.symtable(text, "submission", "exec").get_children():
            scopes.setdefault(scope.get_lineno(), []).append(scope)
    todo = list(reversed(tree.body))
    while todo:
        node = todo.pop()
        match node:
            case ast.If() if _is_main(node.test):
                todo += reversed(node.orelse)
            case ast.If() | ast.Try():
                inner = [
                    *node.body,
                    *(s for h in getattr(node, "handlers", []) for s in h.body),
                    *node.orelse,
                ]
                todo += reversed([*inner, *getattr(node, "finalbody", [])])
                if isinstance(node, ast.If):
                    yield _part(node.test, scopes)
            case ast.Import() | ast.ImportFrom():
                # one name at a time: its neighbours on the line have nothing to do with it
                for alias in node.names:
                    yield _import(node, alias)
            case _:
                yield _part(node, scopes)


def _is_main(test: ast.expr) -> bool:
    """`__name__ == "__main__"`: what is below it does not run where it is graded."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Eq)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value == "__main__"
    )


def _import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> _Part:
    one: ast.Import | ast.ImportFrom
    bound = alias.asname or alias.name.partition(".")[0]
    if isinstance(node, ast.Import):
        one, siblings = ast.Import([alias]), {alias.name.partition(".")[0]}
    else:
        one = ast.ImportFrom(node.module, [alias], node.level)
        siblings = {(node.module or alias.name).partition(".")[0]}
    part = _Part({bound} - {"*"}, set(), range(node.lineno, node.lineno + 1), siblings, is_import=True)
    part.why = ast.unparse(one)
    return part


def _imported(part: _Part, forbidden: tuple[str, ...], file: str) -> str:
    found = find_forbidden(part.why, forbidden).uses
    return (
        f"{file}, line {part.lines.start}: {found[0].name} is forbidden in this assignment" if found else ""
    )


def _part(top: ast.stmt | ast.expr, scopes: Mapping[int, list[symtable.SymbolTable]]) -> _Part:
    """What one statement binds in the module, changed containers and attributes included."""
    first = min([top.lineno, *(decorator.lineno for decorator in getattr(top, "decorator_list", []))])
    part = _Part(set(), set(), range(first, (top.end_lineno or top.lineno) + 1))
    calls: set[str] = set()
    for node in _at_module_level(top):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                part.binds.add(node.name)
            case ast.Name(ctx=ast.Load()):
                part.refers.add(node.id)
            case ast.Name():
                part.binds.add(node.id)
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                part.binds.add(_root(node))
            case ast.Call():
                calls.add(_root(node.func))
    for line in part.lines:
        for scope in scopes.get(line, ()):
            _read_scope(scope, part)
    for node in ast.walk(top):
        if isinstance(node, ast.Import):
            part.siblings |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            part.siblings |= {(node.module or alias.name).partition(".")[0] for alias in node.names}
    if not part.binds:
        part.refers = calls  # what is only mentioned there does nothing
    return part


def _at_module_level(top: ast.AST) -> Iterator[ast.AST]:
    """The nodes that are evaluated in the module's own scope."""
    todo = [top]
    while todo:
        node = todo.pop()
        yield node
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                todo += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
            case ast.ClassDef():
                todo += [*node.decorator_list, *node.bases, *node.keywords]
            case ast.Lambda():
                todo += [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                todo.append(node.generators[0].iter)
            case _:
                todo += ast.iter_child_nodes(node)


def _read_scope(scope: symtable.SymbolTable, part: _Part) -> None:
    for symbol in scope.get_symbols():
        if symbol.is_global():
            part.refers.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                part.binds.add(symbol.get_name())
    for inner in scope.get_children():
        _read_scope(inner, part)


def _root(node: ast.AST) -> str:
    """`a` of `a.b[0].c()`, or "" where there is no such name."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
