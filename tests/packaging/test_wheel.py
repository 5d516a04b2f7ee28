"""What is published holds the handouts and the programs, and nothing that is hidden from students."""

from __future__ import annotations

import configparser
import email
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from grader.assignment import discover, handout_names, load, public_part
from grader.authoring.release import leaks

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = ("solution", "hidden", "variants")
NOT_PUBLISHED = ("tests", "examples", "bench")
SECRET = "canary-d41d8cd98f"


def build(checkout: Path, target: str, out: Path) -> tuple[dict[str, bytes], str]:
    """The files of a wheel or source archive by name, and what its build said."""
    out.mkdir(parents=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    ran = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    (archive,) = out.iterdir()
    if target == "wheel":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}, ran.stdout + ran.stderr
    files = {}
    with tarfile.open(archive) as source:
        for member in source.getmembers():
            content = source.extractfile(member)
            assert content is not None, member.name
            files[member.name.partition("/")[2]] = content.read()
    return files, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The wheel of this checkout."""
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel") / "out")[0]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The source archive of this checkout."""
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist") / "out")[0]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout with one assignment, and the word SECRET in every file that must stay at home."""
    root = tmp_path / "checkout"
    public = {
        "README.md": "# dlquiz\n",
        "LICENSE": "Anything goes.\n",
        "dlquiz/__init__.py": "",
        "grader/__init__.py": "",
        "assignments/one/assignment.toml": (
            'title = "One"\ntopics = ["relu"]\nsubmit = ["one.py"]\n'
            '[limits]\nseconds = 47\n[[problem]]\nname = "p"\ntitle = "P"\npoints = 100\n'
        ),
        "assignments/one/handout/README.md": "Read me.\n",
        "assignments/one/handout/one.py": "def one():\n    raise NotImplementedError\n",
        "assignments/one/handout/test_public.py": "def test_one(student):\n    assert student.one()\n",
        "datasets/README.md": "Data.\n",
        "datasets/one/one.csv": "1,2\n",
    }
    secret = [
        "assignments/one/handout/answers.py",
        "assignments/one/handout/old/one.py",
        "assignments/one/hidden/test_hidden.py",
        "assignments/one/mutants.toml",
        "assignments/one/notes.md",
        "assignments/one/solution/one.py",
        "assignments/one/variants/other.py",
        "assignments/README.md",
        "bench/__init__.py",
        "examples/class/ada/one.py",
        "tests/test_one.py",
    ]
    for name, content in {**public, **dict.fromkeys(secret, f"# {SECRET}\n")}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    for name in ("pyproject.toml", "hatch_build.py", ".gitignore", "dlquiz/topics.py", "dlquiz/topics.toml"):
        shutil.copy(ROOT / name, root / name)
    shutil.copy(ROOT / "grader" / "assignment.py", root / "grader")
    (root / "dlquiz" / "testing").mkdir()
    for name in ("__init__.py", "budget.py"):
        shutil.copy(ROOT / "dlquiz" / "testing" / name, root / "dlquiz" / "testing")
    return root


def test_no_file_of_the_wheel_has_a_hidden_name(wheel: dict[str, bytes]) -> None:
    refused = {*HIDDEN, *NOT_PUBLISHED, "mutants.toml", "assignment.toml", "test_hidden.py"}
    assert [name for name in wheel if refused & set(name.split("/"))] == []
    assert {name.split("/")[0] for name in wheel} == {"dlquiz", "grader", "dlquiz-0.1.0.dist-info"}


def test_no_file_of_the_wheel_has_hidden_content(wheel: dict[str, bytes]) -> None:
    handouts = {file.read_bytes() for file in ROOT.glob("assignments/*/handout/*") if file.is_file()}
    places = [f"assignments/*/{folder}/**/*" for folder in HIDDEN] + [
        f"{folder}/**/*" for folder in NOT_PUBLISHED
    ]
    hidden = [file for place in [*places, "assignments/*/mutants.toml"] for file in ROOT.glob(place)]
    contents = {
        file: file.read_bytes() for file in hidden if file.is_file() and "__pycache__" not in file.parts
    }
    assert contents
    telling = {
        file: content.strip()
        for file, content in contents.items()
        # a sample submission may be the untouched stub
        if len(content.strip()) > 40 and content not in handouts
    }
    packed = b"\0".join(wheel.values())
    assert [str(file) for file, content in telling.items() if content in packed] == []


def test_no_handout_in_the_wheel_repeats_hidden_lines(wheel: dict[str, bytes]) -> None:
    for folder in discover(ROOT / "assignments"):
        start = f"dlquiz/_course/{folder.name}/"
        files = {name.removeprefix(start): wheel[name] for name in wheel if name.startswith(start)}
        assert leaks(load(folder), files) == []


def test_every_handout_is_in_the_wheel_byte_for_byte_and_nothing_beside_it(wheel: dict[str, bytes]) -> None:
    expected = {}
    for folder in discover(ROOT / "assignments"):
        manifest = tomllib.loads((folder / "assignment.toml").read_text(encoding="utf-8"))
        for name in handout_names(manifest["submit"]):
            expected[f"dlquiz/_course/{folder.name}/{name}"] = (folder / "handout" / name).read_bytes()
        public = json.dumps(public_part(folder.name, manifest), indent=2, ensure_ascii=False) + "\n"
        expected[f"dlquiz/_course/{folder.name}/assignment.json"] = public.encode()
    assert expected
    assert {name: wheel[name] for name in wheel if name.startswith("dlquiz/_course/")} == expected


def test_every_module_the_topics_and_the_quiz_are_in_the_wheel(wheel: dict[str, bytes]) -> None:
    modules = [*ROOT.glob("dlquiz/**/*.py"), *ROOT.glob("grader/**/*.py"), ROOT / "dlquiz" / "topics.toml"]
    bank = [*ROOT.glob("dlquiz/quiz/bank/*.toml"), ROOT / "dlquiz" / "quiz" / "core.toml"]
    assert len(bank) > 1
    modules += bank
    for file in modules:
        assert wheel[file.relative_to(ROOT).as_posix()] == file.read_bytes()


def test_the_templates_of_pages_are_in_the_wheel(wheel: dict[str, bytes]) -> None:
    templates = [file for file in (ROOT / "grader" / "report" / "templates").iterdir() if file.is_file()]
    assert {file.suffix for file in templates} == {".html", ".css"}
    for file in templates:
        assert wheel[file.relative_to(ROOT).as_posix()] == file.read_bytes()


def test_the_wheel_says_what_it_needs_and_offers(wheel: dict[str, bytes]) -> None:
    metadata = email.message_from_bytes(wheel["dlquiz-0.1.0.dist-info/METADATA"])
    assert (metadata["Name"], metadata["Requires-Python"]) == ("dlquiz", ">=3.11")
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")
    assert sorted(metadata.get_all("Provides-Extra", [])) == ["dev", "gpu", "grader"]
    needs = [need for need in metadata.get_all("Requires-Dist", []) if "extra ==" not in need]
    assert {"keras", "tensorflow", "pytest", "click"} <= {need.partition(">")[0] for need in needs}
    grading = [need for need in metadata.get_all("Requires-Dist", []) if "extra == 'grader'" in need]
    assert {need.partition(">")[0] for need in grading} == {
        "msgpack",
        "psutil",
        "pyseccomp",
        "scipy",
        "sqlalchemy",
    }
    entry_points = configparser.ConfigParser()
    entry_points.read_string(wheel["dlquiz-0.1.0.dist-info/entry_points.txt"].decode())
    assert {group: dict(entry_points[group]) for group in entry_points.sections()} == {
        "console_scripts": {"dlquiz": "dlquiz.cli:main", "grader": "grader.cli:main"},
        "pytest11": {"dlquiz": "dlquiz.testing.plugin"},
    }


def test_the_source_archive_holds_what_the_wheel_is_made_from_only(sdist: dict[str, bytes]) -> None:
    course = {name for name in sdist if name.startswith("assignments/")}
    folders = discover(ROOT / "assignments")
    for folder in folders:
        manifest = tomllib.loads((folder / "assignment.toml").read_text(encoding="utf-8"))
        start = f"assignments/{folder.name}"
        course -= {f"{start}/handout/{name}" for name in handout_names(manifest["submit"])}
        course.remove(f"{start}/assignment.toml")
    assert course == set()
    assert not {name.split("/")[0] for name in sdist} & set(NOT_PUBLISHED)


def test_what_is_hidden_reaches_no_archive(checkout: Path, tmp_path: Path) -> None:
    for target in ("wheel", "sdist"):
        files, _ = build(checkout, target, tmp_path / target)
        assert [name for name, content in files.items() if SECRET.encode() in content] == []
        assert any(b"Read me." in content for content in files.values())


def test_limits_reach_no_wheel(checkout: Path, tmp_path: Path) -> None:
    files, _ = build(checkout, "wheel", tmp_path / "wheel")
    public = json.loads(files["dlquiz/_course/one/assignment.json"])
    assert set(public) == {"slug", "title", "topics", "submit", "forbidden", "problems"}


def test_the_wheel_made_from_the_source_archive_is_the_same(checkout: Path, tmp_path: Path) -> None:
    direct, _ = build(checkout, "wheel", tmp_path / "direct")
    build(checkout, "sdist", tmp_path / "sdist")
    with tarfile.open(next((tmp_path / "sdist").iterdir())) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert build(unpacked, "wheel", tmp_path / "again")[0] == direct


def test_datasets_travel_inside_the_package(checkout: Path, tmp_path: Path) -> None:
    files, _ = build(checkout, "wheel", tmp_path / "with")
    assert files["dlquiz/_datasets/one/one.csv"] == b"1,2\n"
    shutil.rmtree(checkout / "datasets")
    files, _ = build(checkout, "wheel", tmp_path / "without")
    assert not any("datasets" in name for name in files)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("assignment.toml", 'title = "'),
        ("assignment.toml", 'title = "Half done"\n'),
        (
            "assignment.toml",
            'title = "T"\ntopics = []\nsubmit = ["../hidden/test_hidden.py"]\nproblem = []\n',
        ),
        ("handout/test_public.py", None),
    ],
)
def test_an_assignment_being_edited_is_left_out_and_named(
    checkout: Path, tmp_path: Path, name: str, content: str | None
) -> None:
    edited = Path(shutil.copytree(checkout / "assignments" / "one", checkout / "assignments" / "two"))
    (edited / name).unlink()
    if content is not None:
        (edited / name).write_text(content)
    files, said = build(checkout, "wheel", tmp_path / "wheel")
    assert "assignments/two is left out: " in said
    assert "dlquiz/_course/one/README.md" in files
    assert not any(SECRET.encode() in content for content in files.values())
    assert not any(name.startswith("dlquiz/_course/two/") for name in files)


def test_an_editable_install_takes_its_course_from_the_checkout(checkout: Path, tmp_path: Path) -> None:
    code = f"from hatchling.build import build_editable; build_editable({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=checkout, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as editable:
        assert not any("_course" in name for name in editable.namelist())
