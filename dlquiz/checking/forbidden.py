"""Find where a source uses names that an assignment forbids, by reading it: nothing in it is run.

Names are followed through imports, assignments, `getattr`, loops over literals and default arguments, without regard
to the order in which a program would meet them. What only a run can tell is not found: names kept in containers or
attributes, made from computed text, or run through `exec`. So a clean scan proves nothing, and a finding is a line to
look at.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

MAX_SOURCE = 1_000_000
_MAX_STEPS = 300_000
_MAX_DEPTH = 40
_MAX_VALUES = 16
_MAX_TEXT = 200

# One library has several names, and several roads lead to one part of it.
_SAME = (
    ("tf.", "tensorflow."),
    ("tensorflow.compat.v2.", "tensorflow."),
    ("tensorflow.compat.v1.keras.", "keras."),
    ("tensorflow.keras.", "keras."),
    ("tensorflow.python.keras.", "keras.src."),
    ("keras.api.", "keras."),
    ("keras._tf_keras.keras.", "keras."),
    ("tf_keras.", "keras."),
    ("builtins.", ""),
)
_INTERNAL = ("keras.src.", "tensorflow.python.", "tensorflow.compat.v1.")


@dataclass(frozen=True, order=True)
class Use:
    """One use: its line (from 1) and the forbidden name as the assignment gives it."""

    line: int
    name: str


@dataclass(frozen=True)
class Scan:
    """What was found. `problem` says why the source could not be read to its end, or is ""."""

    uses: tuple[Use, ...] = ()
    problem: str = ""


def find_forbidden(source: bytes | str, forbidden: Iterable[str]) -> Scan:
    """The uses of forbidden names in a source, in the order of their lines.

    Args:
        source: a Python module; as bytes, in the encoding that it declares.
        forbidden: dotted public names such as "keras.layers.Dense"; what lies below one is forbidden too.

    Returns:
        The scan. No source makes it raise, and its time is bounded.
    """
    if len(source) > MAX_SOURCE:
        return Scan(problem=f"it is longer than {MAX_SOURCE:,} bytes")
    reader = _Reader(forbidden)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        reader.read(tree)
    except _TooMuch:
        return Scan(reader.uses(), "it is too involved to be read to its end")
    except SyntaxError as error:
        return Scan(problem=f"line {error.lineno or 1}: {error.msg}")
    except Exception as error:  # whatever a hostile text makes a parser or a codec do
        return Scan(reader.uses(), str(error) or "it is nested too deep")
    return Scan(reader.uses())


class _TooMuch(Exception):
    pass


@dataclass(frozen=True)
class _Path:
    """A dotted name of a library."""

    dotted: str


@dataclass(frozen=True)
class _Text:
    """A constant string."""

    text: str


_Value = _Path | _Text


@dataclass
class _Scope:
    """The names of one module, class, function or comprehension, each with everything it is ever bound to."""

    parent: _Scope | None
    is_class: bool = False
    is_comprehension: bool = False
    bindings: dict[str, list[_Path | tuple[ast.expr, _Scope] | None]] = field(default_factory=dict)
    elsewhere: dict[str, _Scope] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)

    def bind(self, name: str, value: _Path | tuple[ast.expr, _Scope] | None) -> None:
        """Add what `name` may stand for; None where that cannot be known."""
        self.elsewhere.get(name, self).bindings.setdefault(name, []).append(value)

    def module(self) -> _Scope:
        """The outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def owner(self) -> _Scope:
        """Where `:=` binds."""
        scope = self
        while scope.is_comprehension and scope.parent is not None:
            scope = scope.parent
        return scope


class _Reader:
    """Reads one tree: first what every name may stand for, then what each expression means."""

    def __init__(self, forbidden: Iterable[str]) -> None:
        self._forbidden = {canonical(name): name for name in forbidden}
        self._by_last: dict[str, list[str]] = {}
        for dotted in self._forbidden:
            self._by_last.setdefault(dotted.rpartition(".")[2], []).append(dotted)
        self._found: set[Use] = set()
        self._expressions: list[tuple[ast.expr, _Scope]] = []
        self._known: dict[tuple[int, str], frozenset[_Value]] = {}
        self._steps = 0

    def uses(self) -> tuple[Use, ...]:
        return tuple(sorted(self._found))

    def read(self, tree: ast.Module) -> None:
        top = _Scope(None)
        todo: list[tuple[ast.AST, _Scope]] = [(tree, top)]
        while todo:
            self._step()
            node, scope = todo.pop()
            # in the order of the source: a `global` statement comes before what it speaks of
            todo += reversed([*self._enter(node, scope)])
        for expression, scope in self._expressions:
            for value in self._resolve(expression, scope):
                if isinstance(value, _Path):
                    self._judge(value.dotted, expression.lineno)

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise _TooMuch

    def _judge(self, dotted: str, line: int) -> None:
        name = canonical(dotted)
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            if own := self._forbidden.get(".".join(parts[:end])):
                self._found.add(Use(line, own))
        if name.startswith(_INTERNAL):
            for known in self._by_last.get(parts[-1], ()):
                if known.partition(".")[0] == parts[0]:
                    self._found.add(Use(line, self._forbidden[known]))

    # What names stand for.

    def _enter(self, node: ast.AST, scope: _Scope) -> Iterator[tuple[ast.AST, _Scope]]:
        """Note what a node binds or means; what is to be read inside it, and in which scope."""
        match node:
            case ast.Import():
                for alias in node.names:
                    dotted = alias.name if alias.asname else alias.name.partition(".")[0]
                    scope.bind(alias.asname or dotted, _Path(dotted))
                    self._judge(alias.name, node.lineno)
                return
            case ast.ImportFrom():
                self._import_from(node, scope)
                return
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from self._function(node, scope)
                return
            case ast.ClassDef():
                scope.bind(node.name, None)
                yield from ((part, scope) for part in [*node.bases, *node.keywords, *node.decorator_list])
                inner = _Scope(scope, is_class=True)
                yield from ((part, inner) for part in node.body)
                return
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                scope = _Scope(scope, is_comprehension=True)
            case ast.Global() | ast.Nonlocal():
                self._elsewhere(node, scope)
            case ast.Assign():
                for target in node.targets:
                    self._assign(target, node.value, scope)
            case ast.AnnAssign():
                if node.value is not None:
                    self._assign(node.target, node.value, scope)
                    yield node.value, scope
                yield node.target, scope
                return
            case ast.NamedExpr():
                self._assign(node.target, node.value, scope.owner())
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                self._loop(node.target, node.iter, scope)
            case ast.Name(ctx=ast.Store() | ast.Del()):
                scope.bindings.setdefault(node.id, [])
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                scope.bind(name, None)
        if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)) and _is_read(node):
            self._expressions.append((node, scope))
        yield from ((child, scope) for child in ast.iter_child_nodes(node))

    def _import_from(self, node: ast.ImportFrom, scope: _Scope) -> None:
        for alias in node.names:
            if node.level or node.module is None:
                scope.bind(alias.asname or alias.name, None)
            elif alias.name == "*":
                scope.module().stars.append(node.module)
            else:
                dotted = f"{node.module}.{alias.name}"
                scope.bind(alias.asname or alias.name, _Path(dotted))
                self._judge(dotted, node.lineno)

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: _Scope
    ) -> Iterator[tuple[ast.AST, _Scope]]:
        inner = _Scope(scope)
        told = node.args
        positional = [*told.posonlyargs, *told.args]
        for argument in [*positional, *told.kwonlyargs, *filter(None, (told.vararg, told.kwarg))]:
            inner.bind(argument.arg, None)
        with_default = positional[len(positional) - len(told.defaults) :]
        pairs = [*zip(with_default, told.defaults, strict=True)]
        pairs += [(a, d) for a, d in zip(told.kwonlyargs, told.kw_defaults, strict=True) if d is not None]
        for argument, default in pairs:
            inner.bind(argument.arg, (default, scope))
            yield default, scope
        if isinstance(node, ast.Lambda):
            yield node.body, inner
            return
        scope.bind(node.name, None)
        yield from ((part, scope) for part in node.decorator_list)
        yield from ((part, inner) for part in node.body)

    def _elsewhere(self, node: ast.Global | ast.Nonlocal, scope: _Scope) -> None:
        for name in node.names:
            if isinstance(node, ast.Global):
                scope.elsewhere[name] = scope.module()
            elif scope.parent is not None:
                scope.elsewhere[name] = scope.parent

    def _assign(self, target: ast.expr, value: ast.expr, scope: _Scope) -> None:
        if isinstance(target, ast.Name):
            scope.bind(target.id, (value, scope))
        elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            starred = any(isinstance(item, ast.Starred) for item in [*target.elts, *value.elts])
            if len(target.elts) == len(value.elts) and not starred:
                for one, its in zip(target.elts, value.elts, strict=True):
                    if isinstance(one, ast.Name):
                        scope.bind(one.id, (its, scope))

    def _loop(self, target: ast.expr, over: ast.expr, scope: _Scope) -> None:
        if isinstance(over, (ast.Tuple, ast.List, ast.Set)):
            for item in over.elts:
                self._assign(target, item, scope)

    # What expressions mean.

    def _resolve(self, node: ast.expr, scope: _Scope, depth: int = 0) -> frozenset[_Value]:
        """The names and texts that an expression may stand for; nothing where that cannot be told."""
        self._step()
        if depth > _MAX_DEPTH:
            return frozenset()
        deeper = depth + 1
        found: Iterable[_Value] = ()
        match node:
            case ast.Constant(value=str(text)):
                found = [_Text(text)]
            case ast.Name():
                found = self._look_up(node.id, scope, deeper)
            case ast.Attribute():
                found = _below(self._resolve(node.value, scope, deeper), [_Text(node.attr)])
            case ast.IfExp():
                found = self._any([node.body, node.orelse], scope, deeper)
            case ast.BoolOp():
                found = self._any(node.values, scope, deeper)
            case ast.NamedExpr() | ast.Await():
                found = self._resolve(node.value, scope, deeper)
            case ast.BinOp(op=ast.Add()):
                found = [
                    _Text(left.text + right.text)
                    for left in self._resolve(node.left, scope, deeper)
                    for right in self._resolve(node.right, scope, deeper)
                    if isinstance(left, _Text) and isinstance(right, _Text)
                ]
            case ast.JoinedStr():
                found = self._joined(node, scope, deeper)
            case ast.Subscript():
                key = self._resolve(node.slice, scope, deeper)
                owners = self._resolve(node.value, scope, deeper)
                spaces = {value.dotted for value in owners if isinstance(value, _Path)}
                inside = [
                    _Path(name.removesuffix(".__dict__")) for name in spaces if name.endswith(".__dict__")
                ]
                found = [*_below(inside, key), *_modules(key if "sys.modules" in spaces else ())]
            case ast.Call():
                found = self._call(node, scope, deeper)
        short = [
            value for value in found if len(getattr(value, "dotted", getattr(value, "text", ""))) <= _MAX_TEXT
        ]
        return frozenset(short[:_MAX_VALUES])

    def _any(self, nodes: Sequence[ast.expr], scope: _Scope, depth: int) -> list[_Value]:
        return [value for node in nodes for value in self._resolve(node, scope, depth)]

    def _joined(self, node: ast.JoinedStr, scope: _Scope, depth: int) -> list[_Value]:
        texts = [""]
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            ends = [value.text for value in self._resolve(inner, scope, depth) if isinstance(value, _Text)]
            texts = [text + end for text in texts for end in ends][:_MAX_VALUES]
        return [_Text(text) for text in texts]

    def _call(self, node: ast.Call, scope: _Scope, depth: int) -> list[_Value]:
        called = {
            value.dotted for value in self._resolve(node.func, scope, depth) if isinstance(value, _Path)
        }
        values = [self._resolve(argument, scope, depth) for argument in node.args[:2]]
        if not values:
            return []
        if called & {"getattr", "builtins.getattr"} and len(values) == 2:
            return _below(values[0], values[1])
        if called & {"vars", "builtins.vars"}:
            return _below(values[0], [_Text("__dict__")])
        if called & {"importlib.import_module"}:
            return [*_modules(values[0])]
        if called & {"__import__", "builtins.__import__", "importlib.__import__"}:
            return [_Path(value.dotted.partition(".")[0]) for value in _modules(values[0])]
        return []

    def _look_up(self, name: str, scope: _Scope, depth: int) -> Iterable[_Value]:
        here: _Scope | None = scope.elsewhere.get(name, scope)
        start = here
        while here is not None and (name not in here.bindings or (here.is_class and here is not start)):
            here = here.parent
        if here is None:
            stars = [_Path(f"{module}.{name}") for module in scope.module().stars]
            return [*stars, *([_Path(name)] if name in _BUILTINS else [])]
        key = (id(here), name)
        if key not in self._known:
            found: list[_Value] = []
            for binding in here.bindings[name][:_MAX_VALUES]:
                if isinstance(binding, _Path):
                    found.append(binding)
                elif binding is not None:
                    found += self._resolve(*binding, depth)
            self._known[key] = frozenset(found[:_MAX_VALUES])
        return self._known[key]


_BUILTINS = frozenset({"getattr", "vars", "__import__", "exec", "eval", "compile"})


def canonical(dotted: str) -> str:
    """The one name of what has several: `tf.keras.layers.Dense` is `keras.layers.Dense`."""
    for _ in range(3):
        for start, instead in _SAME:
            if dotted.startswith(start):
                dotted = instead + dotted[len(start) :]
                break
    return dotted


def _is_read(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), (ast.Load, type(None)))


def _below(owners: Iterable[_Value], names: Iterable[_Value]) -> list[_Value]:
    return [
        _Path(f"{owner.dotted}.{name.text}")
        for owner in owners
        if isinstance(owner, _Path)
        for name in names
        if isinstance(name, _Text)
    ]


def _modules(values: Iterable[_Value]) -> Sequence[_Path]:
    return [_Path(value.text) for value in values if isinstance(value, _Text)]
