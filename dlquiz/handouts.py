"""Which assignments there are, and how one is copied out or recognized again."""

from __future__ import annotations

import contextlib
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "assignment.json"
TESTS = "test_public.py"
_PACKAGE = Path(__file__).resolve().parent


class HandoutError(ValueError):
    """Something is wrong with what was asked for; the text says what, and the way out."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"dlquiz: {self}"]


@dataclass(frozen=True)
class Problem:
    """A named part of an assignment and the points it carries."""

    name: str
    title: str
    points: float


@dataclass(frozen=True)
class Handout:
    """What a student may know of an assignment.

    Attributes:
        submit: the names of the files to hand in; the first is the module that is tested.
        forbidden: dotted names of the libraries that may not be used.
    """

    slug: str
    title: str
    topics: tuple[str, ...]
    submit: tuple[str, ...]
    forbidden: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def points(self) -> float:
        """The points of all problems together."""
        return sum(problem.points for problem in self.problems)

    @property
    def notebook(self) -> str:
        """The name of the notebook that may stand for the module that is tested."""
        return str(Path(self.submit[0]).with_suffix(".ipynb"))

    def require_problems(self, names: Iterable[str]) -> None:
        """Raise HandoutError for a name that no problem of it has."""
        known = [problem.name for problem in self.problems]
        for name in names:
            if name not in known:
                near = did_you_mean(name, known) or f": there are {', '.join(known)}"
                raise HandoutError(f"{self.slug} has no problem '{name}'{near}")

    @property
    def names(self) -> tuple[str, ...]:
        """The files of its folder."""
        return ("README.md", *self.submit, TESTS, MANIFEST)

    def to_json(self) -> str:
        """The text of its `assignment.json`."""
        public = {
            "slug": self.slug,
            "title": self.title,
            "topics": list(self.topics),
            "submit": list(self.submit),
            "forbidden": list(self.forbidden),
            "problems": [vars(problem) for problem in self.problems],
        }
        return json.dumps(public, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Started:
    """What became of each file when an assignment was copied out."""

    folder: Path
    written: tuple[str, ...]
    same: tuple[str, ...]
    kept: tuple[str, ...]


def course(package: Path = _PACKAGE) -> dict[str, Handout]:
    """The assignments of this installation by name, in course order; those the order does not name come last.

    Args:
        package: the folder of the installed package. Its `_course` is read, or in a checkout the `assignments`
            beside it.
    """
    found = {slug: handout for slug, (handout, _) in _found(package).items()}
    text = (package / "course.toml").read_text(encoding="utf-8")
    order: list[str] = tomllib.loads(text)["order"]
    known = [slug for slug in order if slug in found]
    return {slug: found[slug] for slug in [*known, *sorted(found.keys() - set(known))]}


def find(slug: str, package: Path = _PACKAGE) -> Handout:
    """The assignment of that name; `_` may stand for `-`.

    Raises:
        HandoutError: there is none; says what comes near.
    """
    known = course(package)
    wanted = slug.strip().rstrip("/\\").lower().replace("_", "-").removesuffix(".py")
    if wanted in known:
        return known[wanted]
    if not known:
        raise HandoutError("this installation of dlquiz holds no assignments: install it again with pip")
    raise HandoutError(
        f"no assignment '{slug}'{did_you_mean(wanted, known) or '.'} `dlquiz list` shows all of them"
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Words to add to a message about an unknown name, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.75)
    return f": did you mean {' or '.join(near)}?" if near else ""


def public_tests(slug: str, package: Path = _PACKAGE) -> Path:
    """The file of the public tests of an assignment that `find` gives."""
    return _found(package)[slug][1] / TESTS


def start(handout: Handout, folder: Path, package: Path = _PACKAGE, *, as_notebook: bool = False) -> Started:
    """Copy an assignment into `folder`, which is made. A file that is there already is never written to.

    Args:
        as_notebook: a notebook takes the module's place. It does without being asked where there is a notebook
            and no module: the stub would be taken for the answer.

    Raises:
        HandoutError: the folder holds another assignment, or cannot hold one.
    """
    if folder.exists() and not folder.is_dir():
        raise HandoutError(f"{folder} is a file: name a folder for the assignment")
    if (folder / MANIFEST).is_file():
        other = read_folder(folder)
        if other.slug != handout.slug:
            raise HandoutError(f"{folder} holds the assignment {other.slug}: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    _, source = _found(package)[handout.slug]
    files = {name: (source / name).read_bytes() for name in handout.names if name != MANIFEST}
    module = handout.submit[0]
    if as_notebook or ((folder / handout.notebook).exists() and not (folder / module).exists()):
        from dlquiz.notebooks.making import make_notebook

        parts = (files["README.md"], files.pop(module), files[TESTS])
        made = make_notebook(handout, *(part.decode("utf-8") for part in parts))
        files[handout.notebook] = made.encode()
    written: list[str] = []
    same: list[str] = []
    kept: list[str] = []
    for name, content in {**files, MANIFEST: handout.to_json().encode()}.items():
        target = folder / name
        try:
            with target.open("xb") as file:
                file.write(content)
            written.append(name)
        except FileExistsError:
            unchanged = target.is_file() and target.read_bytes() == content
            (same if unchanged else kept).append(name)
    return Started(folder, tuple(written), tuple(same), tuple(kept))


def read_folder(folder: Path) -> Handout:
    """The assignment whose copy `folder` is.

    Raises:
        HandoutError: it is none, or its `assignment.json` is damaged.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise HandoutError(
            f"{folder} is no assignment's folder, since it has no {MANIFEST}: `dlquiz start NAME {folder}` puts the "
            "missing files there and leaves yours alone"
        )
    try:
        public = json.loads(file.read_text(encoding="utf-8"))
        return _handout(str(public["slug"]), public, public["problems"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise HandoutError(
            f"{file} is damaged: delete it, and `dlquiz start NAME {folder}` puts it back"
        ) from None


def _found(package: Path) -> dict[str, tuple[Handout, Path]]:
    """Each assignment with the folder of its files. What is damaged, or being written in a checkout, is left out."""
    found = {}
    packed = package / "_course"
    if packed.is_dir():
        manifests = packed.glob(f"*/{MANIFEST}")
    else:
        manifests = (package.parent / "assignments").glob("*/assignment.toml")
    for manifest in manifests:
        slug = manifest.parent.name
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            if manifest.name == MANIFEST:
                handout, folder = read_folder(manifest.parent), manifest.parent
            else:
                public = tomllib.loads(manifest.read_text(encoding="utf-8"))
                handout, folder = _handout(slug, public, public["problem"]), manifest.parent / "handout"
            if all((folder / name).is_file() for name in handout.names if name != MANIFEST):
                found[slug] = handout, folder
    return found


def _handout(slug: str, public: Mapping[str, Any], problems: Iterable[Mapping[str, Any]]) -> Handout:
    submit = tuple(str(name) for name in public["submit"])
    if not submit or any(not name.endswith(".py") or set(name) & set("/\\:") for name in submit):
        raise ValueError("files to hand in are plain names of Python files")
    return Handout(
        slug,
        str(public["title"]),
        tuple(map(str, public["topics"])),
        submit,
        tuple(map(str, public.get("forbidden", ()))),
        tuple(Problem(str(one["name"]), str(one["title"]), _points(one["points"])) for one in problems),
    )


def _points(points: float) -> float:
    return points if isinstance(points, int) else float(points)
