"""Make what students receive out of the solution, and let nothing else out."""

from __future__ import annotations

import ast
import difflib
import io
import json
import os
import re
import shutil
import tempfile
import tokenize
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import MANIFEST, Assignment, AssignmentError, handout_names, public_part

STAND_IN = "raise NotImplementedError"

_MARKER = re.compile(r"#\s*(BEGIN|END) SOLUTION\s*")
_MARKER_TEXT = re.compile(r"(BEGIN|END) SOLUTION")
_ALMOST_MARKER = re.compile(r"#+\s*((BEGIN|END)\b|(?i:(begin|end)[\s_-]+solution))")

_DIFF_LINES = 20
_RUN = 3
# Shorter lines and these say too little: a student's own code would hold them too.
_FEWEST_CHARACTERS = 10
_COMMON_LINE = re.compile(
    r"[#@]|(import|from|def|class|pass|break|continue|else|try|finally|except)\b|return( None| self)?$|"
    r"super\(\)|\"\"\"|config = super\(\)|raise NotImplementedError"
)
_PROMPT = re.compile(r"(>>> ?|\.\.\. ?)")


@dataclass(frozen=True)
class _Block:
    """Lines from a BEGIN to its END marker, both counted in, from 0."""

    begin: int
    end: int
    indent: str


def make_stub(source: str, name: str) -> str:
    """A solution with `raise NotImplementedError` for each `# BEGIN SOLUTION` ... `# END SOLUTION` block.

    Args:
        source: the solution's text.
        name: what to call the file in errors.

    Returns:
        Python that compiles. Everything outside the blocks stays as it is.

    Raises:
        AssignmentError: a marker that is unbalanced, nested, misspelt, shares its line or stands in a string;
            a block that is empty or outside every function; indentation by tabs and spaces; no block at all.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    lines = source.split("\n")
    blocks = _blocks(source, lines, name)
    for block in reversed(blocks):
        lines[block.begin : block.end + 1] = [f"{block.indent}{STAND_IN}"]
    stub = "\n".join(lines)
    try:
        compile(stub, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        what = f"{error.msg}, line {error.lineno} of the stub"
        raise AssignmentError([f"{name}: expected blocks of whole statements, received: {what}"]) from None
    return stub


def stub_files(assignment: Assignment) -> dict[str, bytes]:
    """The stubs of an assignment's submitted files by name, made from its solution.

    Raises:
        AssignmentError: see `make_stub`.
    """
    stubs: dict[str, bytes] = {}
    problems: list[str] = []
    for name in assignment.submit:
        try:
            source = (assignment.solution / name).read_bytes().decode()
            stubs[name] = make_stub(source, _label(assignment, "solution", name)).encode()
        except AssignmentError as error:
            problems += error.problems
    if problems:
        raise AssignmentError(problems)
    return stubs


def check(assignments: Iterable[Assignment]) -> list[str]:
    """What is out of step: each stub that is not what its solution makes, and the head of the difference."""
    stale = []
    for assignment in assignments:
        try:
            stubs = stub_files(assignment)
        except AssignmentError as error:
            stale += error.problems
            continue
        for name, stub in stubs.items():
            file = assignment.handout / name
            committed = file.read_bytes() if file.is_file() else b""
            if committed != stub:
                label = _label(assignment, "handout", name)
                difference = difflib.unified_diff(
                    committed.decode(errors="replace").splitlines(),
                    stub.decode().splitlines(),
                    label,
                    f"made from {_label(assignment, 'solution', name)}",
                    lineterm="",
                )
                head = [*difference][:_DIFF_LINES] or ["(line endings differ)"]
                stale.append("\n".join([f"{label}: not what the solution makes", *head]))
    return stale


def write_handout(assignment: Assignment) -> list[Path]:
    """Write an assignment's stubs into its `handout/`; the files that changed.

    Args:
        assignment: may have been loaded with `stubs=False`, so that the first stub can be written.

    Raises:
        AssignmentError: see `make_stub`. Nothing was written.
    """
    changed = []
    for name, stub in stub_files(assignment).items():
        file = assignment.handout / name
        if not file.is_file() or file.read_bytes() != stub:
            _write(file, stub)
            changed.append(file)
    return changed


def bundle(assignment: Assignment) -> dict[str, bytes]:
    """What a student receives, by file name: README, stubs, public tests and `assignment.json`.

    Raises:
        AssignmentError: a file in `handout/` that does not belong there, or hidden text in one that does.
    """
    allowed = handout_names(assignment.submit)
    present = sorted(file.name for file in assignment.handout.iterdir())
    problems = [
        f"{_label(assignment, 'handout', name)}: expected only {', '.join(allowed)} in a handout"
        for name in present
        if name not in allowed and not name.startswith((".", "__pycache__"))
    ]
    manifest = tomllib.loads((assignment.path / MANIFEST).read_text(encoding="utf-8"))
    public = json.dumps(public_part(assignment.slug, manifest), indent=2, ensure_ascii=False) + "\n"
    files = {name: (assignment.handout / name).read_bytes() for name in allowed}
    files |= stub_files(assignment)
    files["assignment.json"] = public.encode()
    problems += [f"{assignment.slug}: {leak}" for leak in leaks(assignment, files)]
    if problems:
        raise AssignmentError(problems)
    return files


def release(out: Path, assignments: Iterable[Assignment]) -> list[Path]:
    """Write each assignment's bundle to `out/SLUG/` and, packed, to `out/SLUG.zip`.

    The archives of the same assignment are equal byte for byte. Other files in `out` stay.

    Returns:
        The bundles' folders.

    Raises:
        AssignmentError: see `bundle`; or something else stands in a bundle's place, such as the assignment
            itself. Nothing was written.
    """
    bundles: list[tuple[str, dict[str, bytes]]] = []
    problems: list[str] = []
    for assignment in assignments:
        target = out / assignment.slug
        if (target / MANIFEST).exists() or (target.exists() and not target.is_dir()):
            problems.append(f"{target}: expected a bundle's folder or nothing, received something else")
            continue
        try:
            bundles.append((assignment.slug, bundle(assignment)))
        except AssignmentError as error:
            problems += error.problems
    if problems:
        raise AssignmentError(problems)
    out.mkdir(parents=True, exist_ok=True)
    return [_write_bundle(out, slug, files) for slug, files in bundles]


def leaks(assignment: Assignment, files: Mapping[str, bytes]) -> list[str]:
    """Where `files` repeat three telling lines in a row of a solution block or of a hidden test.

    Comments, blank, short and everyday lines are passed over, as are lines that the stub shows anyway and
    those that several functions of the hidden suite share.
    """
    passed = _shared_lines(assignment)
    secret = {
        run: origin
        for origin, lines in _hidden_lines(assignment)
        for _, run in _runs(_telling(lines, passed))
    }
    found = []
    for name, content in sorted(files.items()):
        told = _telling(content.decode(errors="replace").split("\n"), passed)
        for place, run in _runs(told):
            if run in secret:
                found.append(
                    f"{name}:{place}: expected nothing hidden, received {secret[run]}: {run[0]!r} ..."
                )
                break
    return found


def _blocks(source: str, lines: Sequence[str], name: str) -> list[_Block]:
    problems: list[str] = []

    def say(row: int, what: str) -> None:
        problems.append(f"{name}:{row + 1}: {what}")

    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
        tree = ast.parse(source)
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        raise AssignmentError([f"{name}: expected Python that compiles, received: {error}"]) from None
    indents = {token.start[0] - 1: token.string for token in tokens if token.type == tokenize.INDENT}
    comments = {token.start[0] - 1: token for token in tokens if token.type == tokenize.COMMENT}
    blocks: list[_Block] = []
    begin: int | None = None
    for row, line in enumerate(lines):
        comment = comments[row].string if row in comments else ""
        marker = _MARKER.fullmatch(comment)
        if not marker:
            if _ALMOST_MARKER.match(comment) or _MARKER_TEXT.search(comment):
                say(row, f"expected `# BEGIN SOLUTION` or `# END SOLUTION`, received `{comment}`")
            elif _MARKER_TEXT.search(line):
                say(row, "expected a marker in a comment of its own, received one in a string")
            continue
        indent = line[: comments[row].start[1]]
        if indent.strip():
            say(row, "expected a marker alone on its line, received code beside it")
        indents[row] = indent
        if marker[1] == "BEGIN":
            if begin is not None:
                say(row, f"expected `# END SOLUTION` for line {begin + 1} first, received another BEGIN")
            begin = row
        elif begin is None:
            say(row, "expected `# BEGIN SOLUTION` above, received an END alone")
        else:
            blocks.append(_Block(begin, row, lines[begin][: comments[begin].start[1]]))
            if indent != blocks[-1].indent:
                say(row, f"expected the indentation of line {begin + 1}, received another")
            begin = None
    if begin is not None:
        say(begin, "expected `# END SOLUTION` below, received the file's end")
    tabbed = next((row for row, indent in sorted(indents.items()) if "\t" in indent), None)
    if tabbed is not None and any(" " in indent for indent in indents.values()):
        say(tabbed, "expected indentation by spaces only, received tabs and spaces")
    if not blocks and not problems:
        problems.append(
            f"{name}: expected answers between `# BEGIN SOLUTION` and `# END SOLUTION`, received none"
        )
    for block in blocks:
        inside = [found for found in _statements(tree) if block.begin < found[0].lineno - 1 < block.end]
        if not inside:
            say(block.begin, "expected statements in the block, received none")
        elif not all(in_function for _, in_function in inside):
            say(block.begin, "expected the block inside a function, so that the stub can be imported")
        elif inside[0][0].col_offset != len(block.indent):
            say(block.begin, "expected the marker at the indentation of its block's code, received another")
    if problems:
        raise AssignmentError(problems)
    return blocks


def _statements(node: ast.AST, in_function: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Every statement in the order of the text, and whether a function holds it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, in_function
        yield from _statements(
            child, in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        )


def _hidden_lines(assignment: Assignment) -> Iterator[tuple[str, list[str]]]:
    """The lines that no student may see, each run of them with the name of where it is from."""
    for name in assignment.submit:
        source = (assignment.solution / name).read_text(encoding="utf-8")
        lines = source.split("\n")
        for block in _blocks(source, lines, name):
            yield f"solution/{name}", lines[block.begin + 1 : block.end]
    for function, lines in _suite_bodies(assignment):
        yield f"`{function}` in hidden/{assignment.suite.name}", lines


def _suite_bodies(assignment: Assignment) -> Iterator[tuple[str, list[str]]]:
    """Each top-level function of the hidden suite and its body's lines, the docstring left out."""
    source = assignment.suite.read_text(encoding="utf-8")
    lines = source.split("\n")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if body:
                yield node.name, lines[body[0].lineno - 1 : node.end_lineno]


def _shared_lines(assignment: Assignment) -> frozenset[str]:
    uses = Counter(line for _, body in _suite_bodies(assignment) for line in set(map(_plain, body)))
    shown = {_plain(line) for stub in stub_files(assignment).values() for line in stub.decode().split("\n")}
    return frozenset(shown | {line for line, count in uses.items() if count > 1})


def _plain(line: str) -> str:
    return " ".join(_PROMPT.sub("", line.strip(), count=1).split())


def _telling(lines: Sequence[str], passed: frozenset[str]) -> list[tuple[int, str]]:
    """The lines that say something, and their numbers from 1."""
    plain = ((place, _plain(line)) for place, line in enumerate(lines, 1))
    return [
        (place, line)
        for place, line in plain
        if line not in passed
        and not _COMMON_LINE.match(line)
        and sum(map(str.isalnum, line)) >= _FEWEST_CHARACTERS
    ]


def _runs(told: Sequence[tuple[int, str]]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for first in range(len(told) - _RUN + 1):
        yield told[first][0], tuple(line for _, line in told[first : first + _RUN])


def _write_bundle(out: Path, slug: str, files: Mapping[str, bytes]) -> Path:
    stage = Path(tempfile.mkdtemp(dir=out, prefix=f".{slug}-"))
    try:
        folder, packed = stage / slug, stage / f"{slug}.zip"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        packed.write_bytes(_zip(slug, files))
        target = out / slug
        if target.exists():
            for name in files:
                os.replace(folder / name, target / name)
        else:
            os.rename(folder, target)
        os.replace(packed, out / packed.name)
    finally:
        shutil.rmtree(stage)
    return target


def _zip(slug: str, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    # stored, since what deflate makes differs from one zlib to the next
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{slug}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _write(file: Path, content: bytes) -> None:
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_bytes(content)
    os.replace(fresh, file)


def _label(assignment: Assignment, folder: str, name: str) -> str:
    return f"{assignment.path.parent.name}/{assignment.slug}/{folder}/{name}"
