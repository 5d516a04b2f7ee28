"""Find an assignment, read it, and say everything that is wrong with it at once."""

from __future__ import annotations

import ast
import difflib
import functools
import hashlib
import keyword
import math
import os
import re
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dlquiz.testing.budget import DEVICES, Budget
from dlquiz.topics import topic_ids

MANIFEST = "assignment.toml"
COURSE = "assignments"

# A submitted module of such a name would be imported in place of the library that suites and workers use.
_LIBRARIES = frozenset(
    """
    absl conftest dlquiz grader h5py hypothesis imblearn jax keras matplotlib ml_dtypes msgpack numpy pandas
    PIL pkg_resources pluggy psutil pytest scipy setuptools sitecustomize sklearn tensorflow tf torch
    usercustomize
    """.split()
)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_RUN_PRODUCTS = ("__pycache__", ".pytest_cache")


class AssignmentError(ValueError):
    """What is wrong with an assignment; `str()` is all of it, one problem a line.

    Attributes:
        problems: each names the file, the key or line, what was expected and what was received.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Problem:
    """A named part of an assignment that carries points."""

    name: str
    title: str
    points: float


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    `seconds`: wall clock of the whole suite. `call_seconds`: wall clock of one call into the student's code.
    `memory_mb`, `disk_mb`: mebibytes. `threads`: threads of the worker. `epochs`: how often a suite's `budget.feed`
    serves its data; 0 is without bound. `device`: "gpu" if training wants one, where one is lent; else "cpu".
    """

    seconds: float = 60
    call_seconds: float = 10
    memory_mb: int = 2048
    disk_mb: int = 256
    threads: int = 256
    epochs: int = 0
    device: str = "cpu"

    @property
    def budget(self) -> Budget:
        """What suites are told of it."""
        return Budget(self.seconds, self.call_seconds, self.epochs, self.device)


_HIGHEST = Limits(
    seconds=3600, call_seconds=3600, memory_mb=1 << 18, disk_mb=1 << 16, threads=4096, epochs=100_000
)


@dataclass(frozen=True)
class Mutant:
    """A wrong answer with one named fault: `find`, found once in the solution's `file`, becomes `replace`.

    `caught_by` names the hidden tests that must fail on it.
    """

    name: str
    find: str
    replace: str
    caught_by: tuple[str, ...]
    file: str


@dataclass(frozen=True)
class Assignment:
    """One folder of a course, validated. `load` makes it."""

    slug: str
    path: Path
    title: str
    topics: tuple[str, ...]
    submit: tuple[str, ...]
    preload: tuple[str, ...]
    forbidden: tuple[str, ...]
    limits: Limits
    problems: tuple[Problem, ...]
    mutants: tuple[Mutant, ...]

    @property
    def points(self) -> float:
        """The most that a submission can earn."""
        return float(sum(problem.points for problem in self.problems))

    @property
    def module(self) -> str:
        """The name that the student's module is imported under."""
        return Path(self.submit[0]).stem

    @property
    def handout(self) -> Path:
        """The folder of what a student receives."""
        return self.path / "handout"

    @property
    def solution(self) -> Path:
        """The folder of the instructor's answer."""
        return self.path / "solution"

    @property
    def hidden(self) -> Path:
        """The folder of what only the grader has."""
        return self.path / "hidden"

    @property
    def suite(self) -> Path:
        """The hidden suite."""
        return self.hidden / "test_hidden.py"

    @property
    def variants(self) -> dict[str, Path]:
        """The other right answers by name, in the order of their names."""
        return {file.stem: file for file in sorted((self.path / "variants").glob("*.py"))}

    def digest(self) -> str:
        """SHA-256, in hexadecimal, of what decides a mark: the manifest and every file under `hidden/`."""
        hidden = (file for file in self.hidden.rglob("*") if file.is_file())
        kept = (file for file in hidden if not set(_RUN_PRODUCTS) & set(file.relative_to(self.path).parts))
        total = hashlib.sha256()
        for file in [
            self.path / MANIFEST,
            *sorted(kept, key=lambda file: file.relative_to(self.path).as_posix()),
        ]:
            for part in (file.relative_to(self.path).as_posix().encode(), file.read_bytes()):
                total.update(len(part).to_bytes(8, "big") + part)
        return total.hexdigest()

    def mutate(self, mutant: Mutant) -> dict[str, bytes]:
        """The solution's files by name, with `mutant`'s fault in one of them."""
        files = {name: (self.solution / name).read_bytes() for name in self.submit}
        text = _universal_newlines(files[mutant.file].decode())
        return {**files, mutant.file: text.replace(mutant.find, mutant.replace, 1).encode()}


def default_course() -> Path:
    """The `assignments` folder here or in the nearest folder above, else in the checkout of this code.

    Raises:
        AssignmentError: there is none; says where it looked.
    """
    here = Path.cwd()
    checkout = Path(__file__).resolve().parents[1]
    for folder in (here, *here.parents, checkout):
        if (folder / COURSE).is_dir() and discover(folder / COURSE):
            return folder / COURSE
    looked = f"no folder `{COURSE}` with assignments in {here}, above it or in {checkout}"
    raise AssignmentError([f"no course found: {looked}; name the course's folder"])


def discover(course: Path) -> list[Path]:
    """The folders of a course that hold an `assignment.toml`, in the order of their names.

    Raises:
        AssignmentError: `course` is not a folder.
    """
    if not course.is_dir():
        raise AssignmentError(
            [f"{_shown_path(course)}: expected a course's folder, received {_what_is(course)}"]
        )
    return sorted(manifest.parent for manifest in course.glob(f"*/{MANIFEST}"))


def find(slug_or_path: str, course: Path | None = None) -> Path:
    """The folder of an assignment.

    Args:
        slug_or_path: its folder, the `assignment.toml` in it, or its name in the course, where `_` may stand
            for `-`.
        course: the folder to look a name up in; by default `default_course()`.

    Raises:
        AssignmentError: there is no such assignment; says what comes near and where it looked.
    """
    path = Path(slug_or_path)
    if path.name == MANIFEST and path.is_file():
        return path.parent
    if (path / MANIFEST).is_file():
        return path
    if path.is_dir() and len(path.parts) != 1:
        raise AssignmentError(
            [f"{_shown_path(path)}: expected an assignment's folder, received one without {MANIFEST}"]
        )
    where = default_course() if course is None else course
    slugs = {folder.name: folder for folder in discover(where)}
    slug = slug_or_path.strip().rstrip("/").replace("_", "-")
    if slug in slugs:
        return slugs[slug]
    wanted = f"no assignment `{slug_or_path}` in {_shown_path(where)}{_near(slug, slugs)}"
    raise AssignmentError([f"{wanted}; neither is it a folder with {MANIFEST}"])


def load(path: Path, *, stubs: bool = True) -> Assignment:
    """Read an assignment's folder, or the `assignment.toml` in it, and validate all of it; none of it is run.

    Tables that repeat are counted from 1 in what it reports: `problem[2]` is the second `[[problem]]`.

    Args:
        path: the folder or its manifest.
        stubs: whether the stubs must be there already.

    Raises:
        AssignmentError: with everything that is wrong with it.
    """
    folder = (path.parent if path.name == MANIFEST else path).resolve()
    problems: list[str] = []
    if not _SLUG.fullmatch(folder.name):
        expected = "expected lower-case words joined by `-`"
        problems.append(f"{_shown_path(folder)}: the folder's name: {expected}, received `{folder.name}`")
    manifest = _toml(folder / MANIFEST, problems)
    if manifest is None:
        raise AssignmentError(problems)
    assignment = _read(folder, manifest, problems, stubs=stubs)
    if problems:
        raise AssignmentError(problems)
    return assignment


def public_part(slug: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What students may know of a manifest, as JSON types: no limit, no mutant, nothing of the hidden suite.

    Args:
        slug: the assignment's folder name.
        manifest: a parsed `assignment.toml`.
    """
    problem_keys = ("name", "title", "points")
    return {
        "slug": slug,
        "title": manifest["title"],
        "topics": manifest["topics"],
        "submit": manifest["submit"],
        "forbidden": manifest.get("forbidden", []),
        "problems": [{key: problem[key] for key in problem_keys} for problem in manifest["problem"]],
    }


def handout_names(submit: Iterable[str]) -> tuple[str, ...]:
    """The only file names that a handout has and that may reach a student."""
    return ("README.md", *submit, "test_public.py")


def _read(folder: Path, manifest: dict[str, Any], problems: list[str], *, stubs: bool) -> Assignment:
    table = _Table(manifest, folder / MANIFEST, "", problems)
    title = table.text("title")
    topics = table.texts("topics", _topic, required=True)
    submit = table.texts("submit", _submit, required=True)
    preload = table.texts("preload", _dotted)
    forbidden = table.texts("forbidden", _dotted_inside)
    limits = _limits(table.table("limits"))
    parts = tuple(_problem(part) for part in table.tables("problem"))
    table.no_more_keys()
    for repeated in _repeated(part.name for part in parts if part.name):
        table.say("problem", f"every name once, received `{repeated}` twice")

    sources: dict[str, str] = {}
    for name in handout_names(submit if stubs else ()):
        _expect_file(folder / "handout" / name, problems)
    for name in submit:
        source = _python(folder / "solution" / name, problems)
        if source is not None:
            sources[name] = source
    suite = _python(folder / "hidden" / "test_hidden.py", problems)
    tests = None if suite is None else _tests(suite, folder / "hidden" / "test_hidden.py", parts, problems)
    mutants = _mutants(folder / "mutants.toml", submit, sources, tests, problems)
    return Assignment(folder.name, folder, title, topics, submit, preload, forbidden, limits, parts, mutants)


class _Table:
    """One TOML table. What is wrong with it is added to `problems`, and reading goes on with a stand-in."""

    def __init__(self, data: dict[str, Any], file: Path, prefix: str, problems: list[str]) -> None:
        self._data, self._file, self._prefix, self._problems = data, file, prefix, problems
        self._known: list[str] = []

    def say(self, key: str, expected: str) -> None:
        self._problems.append(f"{_shown_path(self._file)}: key `{self._prefix}{key}`: expected {expected}")

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._data.get(key)

    def text(self, key: str, *, one_line: bool = True, empty: bool = False, required: bool = True) -> str:
        value = self._take(key)
        if isinstance(value, str) and (empty or value.strip()) and not (one_line and "\n" in value):
            return value
        if value is not None or required:
            kind = "a line of text" if one_line else "a text"
            self.say(key, f"{kind}, received {_shown(value)}")
        return ""

    def texts(
        self, key: str, fault: Callable[[str], str | None], *, required: bool = False
    ) -> tuple[str, ...]:
        value = self._take(key)
        if value is None and not required:
            return ()
        if not isinstance(value, list) or (required and not value):
            self.say(key, f"a list of {'one or more ' if required else ''}texts, received {_shown(value)}")
            return ()
        good = []
        for place, entry in enumerate(value, 1):
            wrong = fault(entry) if isinstance(entry, str) else f"a text, received {_shown(entry)}"
            if wrong is None:
                good.append(entry)
            else:
                self.say(f"{key}[{place}]", wrong)
        for repeated in _repeated(good):
            self.say(key, f"every entry once, received `{repeated}` twice")
        return tuple(good)

    def number(self, key: str, default: float | None, highest: float, *, whole: bool = False) -> float:
        value = self._take(key)
        if value is None and default is not None:
            return default
        # bool is an int in Python; a true limit is a slip all the same
        fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if fits and 0 < value <= highest:
            return value  # type: ignore[no-any-return]
        kind = "a whole number" if whole else "a number"
        self.say(key, f"{kind} above 0 and at most {highest:g}, received {_shown(value)}")
        return math.nan if default is None else default

    def table(self, key: str) -> _Table:
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self.say(key, f"a table, received {_shown(value)}")
        return _Table(
            value if isinstance(value, dict) else {}, self._file, f"{self._prefix}{key}.", self._problems
        )

    def tables(self, key: str, *, required: bool = True) -> list[_Table]:
        value = self._take(key)
        if value is None and not required:
            return []
        if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
            self.say(key, f"one or more `[[{key}]]` tables, received {_shown(value)}")
            return []
        return [
            _Table(entry, self._file, f"{self._prefix}{key}[{place}].", self._problems)
            for place, entry in enumerate(value, 1)
        ]

    def no_more_keys(self) -> None:
        for key in self._data:
            if key not in self._known:
                self.say(key, f"no such key{_near(key, self._known)}")


def _problem(table: _Table) -> Problem:
    name = table.text("name")
    if name and not _NAME.fullmatch(name):
        table.say("name", f"letters, digits, `_` and `-`, received {_shown(name)}")
    problem = Problem(name, table.text("title"), table.number("points", None, 10_000))
    table.no_more_keys()
    return problem


def _limits(table: _Table) -> Limits:
    read: dict[str, Any] = {
        limit.name: table.number(
            limit.name, getattr(Limits, limit.name), getattr(_HIGHEST, limit.name), whole=limit.type == "int"
        )
        for limit in fields(Limits)
        if limit.name != "device"
    }
    device = table.text("device", required=False) or Limits.device
    if device not in DEVICES:
        table.say("device", f"{' or '.join(DEVICES)}, received {_shown(device)}")
    table.no_more_keys()
    limits = Limits(**read, device=device)
    if limits.call_seconds > limits.seconds:
        table.say(
            "call_seconds",
            f"at most the {limits.seconds:g} s of `limits.seconds`, received {limits.call_seconds:g}",
        )
    return limits


def _topic(topic: str) -> str | None:
    known = topic_ids()
    return (
        None
        if topic in known
        else f"a topic of the list, received `{topic}`{_near(topic, known, list_all=False)}"
    )


def _submit(name: str) -> str | None:
    stem = name.removesuffix(".py")
    if stem == name or not stem.isascii() or not stem.isidentifier() or keyword.iskeyword(stem):
        return f"a plain module's file name such as `layers.py`, received {_shown(name)}"
    if stem.startswith(("test_", "__")) or stem.endswith("_test"):
        return f"a name that neither pytest nor Python gives a meaning to, received `{name}`"
    if stem in sys.stdlib_module_names or stem in _LIBRARIES:
        return f"a name that hides no library, received `{name}`, which would hide `{stem}`"
    return None


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))


def _dotted(name: str) -> str | None:
    return (
        None
        if _is_dotted(name)
        else f"a module's name such as `keras` or `numpy.linalg`, received {_shown(name)}"
    )


def _dotted_inside(name: str) -> str | None:
    public = _is_dotted(name) and "." in name and not any(part.startswith("_") for part in name.split("."))
    return None if public else f"a public dotted name such as `keras.layers.Dense`, received {_shown(name)}"


@dataclass(frozen=True)
class _Mark:
    name: str
    line: int
    call: ast.Call | None

    @property
    def literals(self) -> list[object] | None:
        """The positional arguments, or None where they are not literals or keywords stand beside them."""
        if self.call is None or self.call.keywords:
            return None
        return [arg.value if isinstance(arg, ast.Constant) else None for arg in self.call.args]


def _marks(test: ast.FunctionDef) -> list[_Mark]:
    found = []
    for decorator in test.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) in ("pytest.mark", "mark"):
            found.append(_Mark(target.attr, decorator.lineno, call))
    return found


def _tests(source: str, file: Path, parts: tuple[Problem, ...], problems: list[str]) -> list[str]:
    """Check the marks of a hidden suite without importing it; the names of its tests, in order."""

    def say(line: int, what: str) -> None:
        problems.append(f"{_shown_path(file)}:{line}: {what}")

    tree = ast.parse(source)
    points: dict[str, list[float]] = {part.name: [] for part in parts if part.name}
    top = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    for node in _outside_functions(tree):
        is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if is_test and node not in top:
            say(node.lineno, f"`{node.name}`: expected a plain function at the top level, received another")
    names = [test.name for test in top]
    earlier: list[str] = []
    for test in top:
        if test.name in earlier:
            say(
                test.lineno,
                f"`{test.name}`: expected every test's name once; this one replaces an earlier test",
            )
        if not (ast.get_docstring(test) or "").strip():
            say(
                test.lineno,
                f"`{test.name}`: expected a docstring, which students read as its title, received none",
            )
        marks = _marks(test)
        carried = [mark for mark in marks if mark.name == "problem"]
        if len(carried) == 1:
            _count_points(test.name, carried[0], points, say)
        else:
            form = '`@pytest.mark.problem("name", points=...)`'
            say(test.lineno, f"`{test.name}`: expected one {form}, received {len(carried) or 'none'}")
        for mark in marks:
            if mark.name == "hint" and not _one_text(mark):
                say(mark.line, f'`{test.name}`: expected `@pytest.mark.hint("...")` with one literal text')
            if mark.name == "needs":
                _check_needs(test.name, mark, names, earlier, say)
        earlier.append(test.name)
    for part in parts:
        if not part.name:
            continue
        where = f"{_shown_path(file)}: problem `{part.name}`"
        excess = sum(points[part.name]) - part.points
        if not points[part.name]:
            problems.append(f"{where}: expected tests for it, received none")
        elif abs(excess) > 1e-6:
            total = part.points + excess
            problems.append(
                f"{where}: expected {part.points:g} points in all, as {MANIFEST} says, received {total:g}"
            )
    return names


def _outside_functions(node: ast.AST) -> Iterable[Any]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _outside_functions(child)


def _one_text(mark: _Mark) -> bool:
    literals = mark.literals
    return (
        literals is not None
        and len(literals) == 1
        and isinstance(literals[0], str)
        and bool(literals[0].strip())
    )


def _count_points(
    test: str, mark: _Mark, points: dict[str, list[float]], say: Callable[[int, str], None]
) -> None:
    """Add what `test` is worth to its problem's list in `points`: NaN where that cannot be told."""
    call = mark.call
    form = '`@pytest.mark.problem("name", points=...)` with a literal text and a literal number above 0'
    if call is None or len(call.args) != 1 or not isinstance(call.args[0], ast.Constant):
        say(mark.line, f"`{test}`: expected {form}, received other arguments")
        return
    name = call.args[0].value
    if not isinstance(name, str) or name not in points:
        near = _near(name, points) if isinstance(name, str) else ""
        say(mark.line, f"`{test}`: expected a problem of {MANIFEST}, received {name!r}{near}")
        return
    values = [word.value for word in call.keywords if word.arg == "points"]
    worth = values[0].value if len(values) == 1 and isinstance(values[0], ast.Constant) else None
    if (
        len(call.keywords) == 1
        and isinstance(worth, int | float)
        and not isinstance(worth, bool)
        and 0 < worth < math.inf
    ):
        points[name].append(worth)
        return
    received = ", ".join(ast.unparse(word) for word in call.keywords) or "no points"
    say(mark.line, f"`{test}`: expected {form}, received {received}")
    points[name].append(math.nan)


def _check_needs(
    test: str, mark: _Mark, names: list[str], earlier: list[str], say: Callable[[int, str], None]
) -> None:
    needed = mark.literals
    if not needed or not all(isinstance(name, str) for name in needed):
        say(mark.line, f'`{test}`: expected `@pytest.mark.needs("test_name")` with literal names')
        return
    for name in map(str, needed):
        if name not in names:
            near = _near(name, names, list_all=False)
            say(mark.line, f"`{test}`: needs `{name}`: expected a test of this suite{near}")
        elif name not in earlier:
            say(
                mark.line,
                f"`{test}`: needs `{name}`: expected a test above it, since tests run from top to bottom",
            )


def _mutants(
    file: Path,
    submit: tuple[str, ...],
    sources: Mapping[str, str],
    tests: list[str] | None,
    problems: list[str],
) -> tuple[Mutant, ...]:
    data = _toml(file, problems)
    if data is None:
        return ()
    top = _Table(data, file, "", problems)
    mutants = []
    for table in top.tables("mutant", required=False):
        caught_by = table.texts("caught_by", functools.partial(_hidden_test, tests=tests), required=True)
        mutant = Mutant(
            table.text("name"),
            table.text("find", one_line=False),
            table.text("replace", one_line=False, empty=True),
            caught_by,
            table.text("file", required=False) or (submit[0] if submit else ""),
        )
        table.no_more_keys()
        mutants.append(mutant)
        if submit and mutant.file not in submit:
            table.say("file", f"a file of `submit`, received `{mutant.file}`{_near(mutant.file, submit)}")
        elif mutant.file in sources and mutant.find:
            _check_mutation(table, mutant, sources[mutant.file])
    top.no_more_keys()
    for repeated in _repeated(mutant.name for mutant in mutants if mutant.name):
        top.say("mutant", f"every name once, received `{repeated}` twice")
    return tuple(mutants)


def _hidden_test(name: str, tests: list[str] | None) -> str | None:
    if tests is None or name in tests:
        return None
    return f"a test of hidden/test_hidden.py, received `{name}`{_near(name, tests, list_all=False)}"


def _check_mutation(table: _Table, mutant: Mutant, source: str) -> None:
    count = source.count(mutant.find)
    if count != 1:
        often = "none" if count == 0 else str(count)
        table.say("find", f"one match in solution/{mutant.file}, received {often} (mutant `{mutant.name}`)")
        return
    changed = source.replace(mutant.find, mutant.replace, 1)
    if changed == source:
        table.say("replace", f"a change, received the text of `find` (mutant `{mutant.name}`)")
        return
    try:
        _compile(changed, mutant.file)
    except (SyntaxError, ValueError) as error:
        table.say("replace", f"Python that compiles, received: {_syntax(error)} (mutant `{mutant.name}`)")


def _compile(source: str, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        compile(source, name, "exec", dont_inherit=True)


def _syntax(error: SyntaxError | ValueError) -> str:
    return f"{error.msg}, line {error.lineno}" if isinstance(error, SyntaxError) else str(error)


def _universal_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _expect_file(file: Path, problems: list[str]) -> bool:
    if file.is_file():
        return True
    problems.append(f"{_shown_path(file)}: expected a file, received {_what_is(file)}")
    return False


def _text(file: Path, problems: list[str]) -> str | None:
    if not _expect_file(file, problems):
        return None
    try:
        return _universal_newlines(file.read_bytes().decode())
    except UnicodeDecodeError as error:
        problems.append(
            f"{_shown_path(file)}: expected UTF-8 text, received {error.reason} at byte {error.start}"
        )
    except OSError as error:
        problems.append(f"{_shown_path(file)}: expected a readable file, received: {error.strerror}")
    return None


def _toml(file: Path, problems: list[str]) -> dict[str, Any] | None:
    text = _text(file, problems)
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{_shown_path(file)}: expected TOML, received: {error}")
        return None


def _python(file: Path, problems: list[str]) -> str | None:
    source = _text(file, problems)
    if source is None:
        return None
    try:
        _compile(source, file.name)
    except (SyntaxError, ValueError) as error:
        problems.append(f"{_shown_path(file)}: expected Python that compiles, received: {_syntax(error)}")
        return None
    return source


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name in names:
        if name in seen:
            twice[name] = None
        seen.add(name)
    return list(twice)


def _near(name: str, known: Iterable[str], *, list_all: bool = True) -> str:
    """Words to add to a message about an unknown name, or nothing."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f" (did you mean {' or '.join(f'`{match}`' for match in near)}?)"
    return f" (there are: {', '.join(known)})" if list_all and known else ""


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict | list):
        kind = "table" if isinstance(value, dict) else "list"
        return f"a {kind}" if value else f"an empty {kind}"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _shown_path(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _what_is(path: Path) -> str:
    return "a folder" if path.is_dir() else "something else" if path.exists() else "no such file or folder"
