"""What `load` reads, and what it refuses."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest

from grader.assignment import AssignmentError, Limits, Mutant, Problem, load


def problems_of(folder: Path, **how: bool) -> list[str]:
    with pytest.raises(AssignmentError) as caught:
        load(folder, **how)
    return caught.value.problems


def change(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / name
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_everything_in_the_manifest_is_read(folder: Path) -> None:
    read = load(folder)
    assert (read.slug, read.title, read.topics) == ("two-functions", "Two functions", ("relu", "tanh"))
    assert (read.submit, read.module) == (("two_functions.py", "more.py"), "two_functions")
    assert (read.preload, read.forbidden) == (("keras",), ("keras.layers.ReLU",))
    assert read.limits == Limits(seconds=30, call_seconds=5, memory_mb=1024, disk_mb=256, threads=256)
    assert read.problems == (Problem("rectifier", "The rectifier", 60), Problem("doubling", "Doubling", 40))
    assert read.points == 100
    assert read.mutants == (
        Mutant(
            "wrong sign", "max(x, 0)", "min(x, 0)", ("test_negative", "test_positive"), "two_functions.py"
        ),
        Mutant("tripled", "x * 2", "x * 3", ("test_double",), "more.py"),
    )


def test_the_folders_of_an_assignment_are_beside_its_manifest(folder: Path) -> None:
    read = load(folder)
    assert (read.path, read.handout, read.solution) == (folder, folder / "handout", folder / "solution")
    assert (read.hidden, read.suite) == (folder / "hidden", folder / "hidden" / "test_hidden.py")


def test_variants_are_named_in_order(folder: Path) -> None:
    (folder / "variants" / "apart.py").touch()
    assert list(load(folder).variants.items()) == [
        ("apart", folder / "variants" / "apart.py"),
        ("longer", folder / "variants" / "longer.py"),
    ]


def test_an_assignment_needs_no_variants_limits_or_optional_lists(folder: Path) -> None:
    shutil.rmtree(folder / "variants")
    change(folder, "assignment.toml", "[limits]\nseconds = 30\ncall_seconds = 5\nmemory_mb = 1024\n", "")
    change(folder, "assignment.toml", 'preload = ["keras"]\nforbidden = ["keras.layers.ReLU"]\n', "")
    (folder / "mutants.toml").write_text("")
    read = load(folder)
    assert (read.variants, read.limits, read.mutants) == ({}, Limits(), ())
    assert (read.preload, read.forbidden) == ((), ())


def test_the_manifest_itself_can_be_named(folder: Path) -> None:
    assert load(folder / "assignment.toml") == load(folder)


MANIFEST = "assignments/two-functions/assignment.toml"
SUITE = "assignments/two-functions/hidden/test_hidden.py"
MUTANTS = "assignments/two-functions/mutants.toml"
RECTIFIER = "problem `rectifier`"
MARK = '`@pytest.mark.problem("name", points=...)`'


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("preload =", "prelaod =", "key `prelaod`: expected no such key (did you mean `preload`?)"),
        ("memory_mb", "memory", "key `limits.memory`: expected no such key (did you mean `memory_mb`?)"),
        (
            'title = "Doubling"',
            'title = "Doubling"\nworth = 1',
            "key `problem[2].worth`: expected no such key",
        ),
        ('title = "Two functions"', "", "key `title`: expected a line of text, received none"),
        ('"Two functions"', '"  "', "key `title`: expected a line of text, received '  '"),
        ('"Two functions"', '"Two\\nfunctions"', "key `title`: expected a line of text, received 'Two"),
        ('"Two functions"', "2", "key `title`: expected a line of text, received 2"),
        (
            '["relu", "tanh"]',
            "[]",
            "key `topics`: expected a list of one or more texts, received an empty list",
        ),
        ('["relu", "tanh"]', '"relu"', "key `topics`: expected a list of one or more texts, received 'relu'"),
        (
            '"tanh"',
            '"tahn"',
            "key `topics[2]`: expected a topic of the list, received `tahn` (did you mean `tanh`",
        ),
        ('"tanh"', "3", "key `topics[2]`: expected a text, received 3"),
        ('"tanh"', '"relu"', "key `topics`: expected every entry once, received `relu` twice"),
        ('"keras.layers.ReLU"', '"ReLU"', "key `forbidden[1]`: expected a public dotted name such as"),
        ('"keras.layers.ReLU"', '"keras._tf.x"', "key `forbidden[1]`: expected a public dotted name such as"),
        ('"keras.layers.ReLU"', '"keras. x"', "key `forbidden[1]`: expected a public dotted name such as"),
        ('["keras"]', '["keras-cv"]', "key `preload[1]`: expected a module's name such as"),
        ('["keras"]', '["a.import.b"]', "key `preload[1]`: expected a module's name such as"),
        (
            "[limits]",
            "[limits]\nthreads = 0",
            "key `limits.threads`: expected a whole number above 0 and at most 4096",
        ),
        ("memory_mb = 1024", "memory_mb = 1e9", "key `limits.memory_mb`: expected a whole number above 0"),
        (
            "memory_mb = 1024",
            "memory_mb = 999_999_999",
            "key `limits.memory_mb`: expected a whole number above 0",
        ),
        (
            "seconds = 30",
            "seconds = true",
            "key `limits.seconds`: expected a number above 0 and at most 3600, received",
        ),
        (
            "seconds = 30",
            "seconds = nan",
            "key `limits.seconds`: expected a number above 0 and at most 3600, received",
        ),
        (
            "seconds = 30",
            "seconds = 4",
            "key `limits.call_seconds`: expected at most the 4 s of `limits.seconds`",
        ),
        (
            "points = 40",
            "points = true",
            "key `problem[2].points`: expected a number above 0 and at most 10000, rec",
        ),
        (
            "points = 40",
            "points = -40",
            "key `problem[2].points`: expected a number above 0 and at most 10000, rec",
        ),
        (
            "points = 40",
            'points = "40"',
            "key `problem[2].points`: expected a number above 0 and at most 10000, rec",
        ),
        (
            '"doubling"',
            '"dou bling"',
            "key `problem[2].name`: expected letters, digits, `_` and `-`, received",
        ),
        ('"doubling"', '"rectifier"', "key `problem`: expected every name once, received `rectifier` twice"),
    ],
)
def test_a_wrong_manifest_names_the_key_and_what_was_received(
    folder: Path, old: str, new: str, line: str
) -> None:
    text = (folder / "assignment.toml").read_text()
    assert old in text
    (folder / "assignment.toml").write_text(text.replace(old, new, 1))
    manifest = [problem for problem in problems_of(folder) if problem.startswith(MANIFEST)]
    assert [problem[: len(MANIFEST) + 2 + len(line)] for problem in manifest] == [f"{MANIFEST}: {line}"]


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        ("", "key `problem`: expected one or more `[[problem]]` tables, received none"),
        ("[problem]\n", "key `problem`: expected one or more `[[problem]]` tables, received an empty table"),
        ("[[problem]]\n[limits.seconds]", "key `limits.seconds`: expected a number above 0"),
    ],
)
def test_tables_of_the_wrong_kind_are_refused(folder: Path, tables: str, line: str) -> None:
    start = 'title = "T"\ntopics = ["relu"]\nsubmit = ["two_functions.py"]\n'
    (folder / "assignment.toml").write_text(start + tables)
    assert any(problem.startswith(f"{MANIFEST}: {line}") for problem in problems_of(folder))


@pytest.mark.parametrize(
    "name",
    [
        "../more.py",
        "a/more.py",
        "a\\more.py",
        "/more.py",
        "more",
        "more.ipynb",
        "my more.py",
        "mo-re.py",
        "1more.py",
        ".more.py",
        "class.py",
        "größe.py",
        "keras.py",
        "tensorflow.py",
        "random.py",
        "conftest.py",
        "test_more.py",
        "more_test.py",
        "__init__.py",
        "",
    ],
)
def test_an_unsafe_or_hiding_name_cannot_be_submitted(folder: Path, name: str) -> None:
    change(folder, "assignment.toml", '"more.py"', f"'{name}'")
    manifest = [problem for problem in problems_of(folder) if problem.startswith(MANIFEST)]
    assert len(manifest) == 1
    assert manifest[0].startswith(f"{MANIFEST}: key `submit[2]`: expected a ")


@pytest.mark.parametrize(
    "name",
    [
        "handout/README.md",
        "handout/two_functions.py",
        "handout/more.py",
        "handout/test_public.py",
        "solution/two_functions.py",
        "solution/more.py",
        "hidden/test_hidden.py",
        "mutants.toml",
        "assignment.toml",
    ],
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    kept = f"assignments/two-functions/{name}: expected a file, received no such file or folder"
    assert problems_of(folder) == [kept]


def test_stubs_may_be_missing_where_they_are_about_to_be_made(folder: Path) -> None:
    (folder / "handout" / "more.py").unlink()
    assert load(folder, stubs=False).submit == ("two_functions.py", "more.py")
    (folder / "handout" / "README.md").unlink()
    assert len(problems_of(folder, stubs=False)) == 1


@pytest.mark.parametrize("name", ["assignment.toml", "mutants.toml"])
def test_a_slip_in_toml_is_placed(folder: Path, name: str) -> None:
    (folder / name).write_text("title = \n")
    (problem,) = problems_of(folder)
    assert problem.startswith(f"assignments/two-functions/{name}: expected TOML, received: ")
    assert "line 1" in problem


@pytest.mark.parametrize("name", ["solution/more.py", "hidden/test_hidden.py"])
def test_python_that_does_not_compile_is_placed(folder: Path, name: str) -> None:
    (folder / name).write_text("x = 1\nreturn x\n")
    (problem,) = problems_of(folder)
    assert problem.startswith(f"assignments/two-functions/{name}: expected Python that compiles, received: ")
    assert problem.endswith("line 2")


def test_a_file_that_is_not_text_is_named(folder: Path) -> None:
    (folder / "solution" / "more.py").write_bytes(b"# \xff\n")
    (problem,) = problems_of(folder)
    assert problem.endswith("solution/more.py: expected UTF-8 text, received invalid start byte at byte 2")


def test_a_folder_name_that_is_no_slug_is_refused(folder: Path) -> None:
    renamed = folder.rename(folder.with_name("Two_Functions"))
    (problem,) = problems_of(renamed)
    assert "lower-case words joined by `-`, received `Two_Functions`" in problem


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '"rectifier", points=45',
            '"rectifier", points=44',
            [f"{SUITE}: {RECTIFIER}: expected 60 points in all, as assignment.toml says, received 59"],
        ),
        (
            '@pytest.mark.problem("doubling", points=40)\n',
            "",
            [
                f"{SUITE}:19: `test_double`: expected one {MARK}, received none",
                f"{SUITE}: problem `doubling`: expected tests for it, received none",
            ],
        ),
        (
            '@pytest.mark.problem("doubling", points=40)\n',
            '@pytest.mark.problem("doubling", points=40)\n@pytest.mark.problem("rectifier", points=1)\n',
            [
                f"{SUITE}:21: `test_double`: expected one {MARK}, received 2",
                f"{SUITE}: problem `doubling`: expected tests for it, received none",
            ],
        ),
        (
            '"doubling", points=40',
            '"dubling", points=40',
            [
                f"{SUITE}:19: `test_double`: expected a problem of assignment.toml, received 'dubling'"
                " (did you mean `doubling`?)",
                f"{SUITE}: problem `doubling`: expected tests for it, received none",
            ],
        ),
        (
            '    """Numbers are doubled."""\n',
            "",
            [f"{SUITE}:20: `test_double`: expected a docstring, which students"],
        ),
        (
            'needs("test_negative")',
            'needs("test_negativ")',
            [f"{SUITE}:12: `test_positive`: needs `test_negativ`: exp"],
        ),
        (
            'needs("test_negative")',
            'needs("test_double")',
            [f"{SUITE}:12: `test_positive`: needs `test_double`: expec"],
        ),
        (
            'needs("test_negative")',
            "needs(test_negative)",
            [f"{SUITE}:12: `test_positive`: expected `@pytest.mark.nee"],
        ),
        (
            'needs("test_negative")',
            'needs("test_negative", soft=True)',
            [f"{SUITE}:12: `test_positive`: expected `@pytest.mark.needs("],
        ),
        (
            'hint("What becomes of numbers below 0?")',
            "hint()",
            [f"{SUITE}:5: `test_negative`: expected `@pytest.mark.h"],
        ),
    ],
)
def test_a_suite_that_does_not_fit_the_manifest_is_refused(
    folder: Path, old: str, new: str, expected: list[str]
) -> None:
    change(folder, "hidden/test_hidden.py", old, new)
    problems = [problem for problem in problems_of(folder) if problem.startswith(SUITE)]
    assert [problem[: len(start)] for problem, start in zip(problems, expected, strict=True)] == expected


@pytest.mark.parametrize(
    "code",
    [
        "class TestMore:\n    def test_more(self): ...\n",
        "if True:\n    def test_more(): ...\n",
        "async def test_more(): ...\n",
    ],
)
def test_a_test_that_is_no_plain_function_is_refused(folder: Path, code: str) -> None:
    suite = folder / "hidden" / "test_hidden.py"
    suite.write_text(f"{suite.read_text()}\n\n{code}")
    (problem,) = problems_of(folder)
    assert problem.endswith("`test_more`: expected a plain function at the top level, received another")


def test_a_test_that_replaces_another_is_refused(folder: Path) -> None:
    change(folder, "hidden/test_hidden.py", "def test_positive(student, x)", "def test_negative(student, x)")
    change(folder, "hidden/test_hidden.py", '@pytest.mark.needs("test_negative")\n', "")
    change(folder, "mutants.toml", ', "test_positive"', "")
    (problem,) = problems_of(folder)
    assert "`test_negative`: expected every test's name once" in problem


@pytest.mark.parametrize("points", ["0", "-1", "True", "20 + 20", "WORTH", "'40'", "1e309", "40, weight=1"])
def test_points_are_a_literal_number_above_0(folder: Path, points: str) -> None:
    change(folder, "hidden/test_hidden.py", "points=40", f"points={points}")
    (problem,) = problems_of(folder)
    assert problem.startswith(f"{SUITE}:19: `test_double`: expected `@pytest.mark.problem(")
    assert problem.endswith(f"received points={points}")


@pytest.mark.parametrize("points", ["true", "-40", '"40"', "nan"])
def test_points_that_are_no_number_are_said_once(folder: Path, points: str) -> None:
    change(folder, "assignment.toml", "points = 40", f"points = {points}")
    (problem,) = problems_of(folder)
    assert problem.startswith(f"{MANIFEST}: key `problem[2].points`: expected a number above 0")


def test_points_that_cannot_be_added_exactly_still_add_up(folder: Path) -> None:
    test = '@pytest.mark.problem("doubling", points=0.1)\ndef test_{}(student):\n    """Title."""\n'
    tenths = "\n\n".join(test.format(number) for number in range(3))
    change(folder, "hidden/test_hidden.py", "points=40", "points=39.7")
    suite = folder / "hidden" / "test_hidden.py"
    suite.write_text(f"{suite.read_text()}\n\n{tenths}")
    assert load(folder).points == 100


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            '"max(x, 0)"',
            '"max(y, 0)"',
            "`mutant[1].find`: expected one match in solution/two_functions.py, received n",
        ),
        (
            '"max(x, 0)"',
            '"x"',
            "`mutant[1].find`: expected one match in solution/two_functions.py, received 3",
        ),
        ('"min(x, 0)"', '"max(x, 0)"', "`mutant[1].replace`: expected a change, received the text of `find`"),
        (
            '"min(x, 0)"',
            '"min(x, 0"',
            "`mutant[1].replace`: expected Python that compiles, received: '(' was",
        ),
        ('find = "max(x, 0)"\n', "", "`mutant[1].find`: expected a text, received none"),
        ('["test_double"]', "[]", "`mutant[2].caught_by`: expected a list of one or more texts"),
        (
            '"test_double"',
            '"test_duoble"',
            "`mutant[2].caught_by[1]`: expected a test of hidden/test_hidden.py",
        ),
        ('"tripled"', '"wrong sign"', "`mutant`: expected every name once, received `wrong sign` twice"),
        ('name = "tripled"\n', "", "`mutant[2].name`: expected a line of text, received none"),
        ('"more.py"', '"mroe.py"', "`mutant[2].file`: expected a file of `submit`, received `mroe.py` (did"),
        ('replace = "x * 3"', 'replace = ""\nreplase = 1', "`mutant[2].replase`: expected no such key (did"),
    ],
)
def test_a_wrong_mutant_names_the_key_and_what_was_received(
    folder: Path, old: str, new: str, line: str
) -> None:
    change(folder, "mutants.toml", old, new)
    assert [problem[: len(f"{MUTANTS}: key {line}")] for problem in problems_of(folder)][:1] == [
        f"{MUTANTS}: key {line}"
    ]


def test_a_misspelt_table_of_mutants_is_refused(folder: Path) -> None:
    (folder / "mutants.toml").write_text('[[mutants]]\nname = "x"\n')
    assert problems_of(folder) == [f"{MUTANTS}: key `mutants`: expected no such key (did you mean `mutant`?)"]


def test_files_with_windows_line_ends_are_read_and_mutated(folder: Path) -> None:
    for name in ("assignment.toml", "mutants.toml", "solution/more.py", "hidden/test_hidden.py"):
        (folder / name).write_bytes((folder / name).read_bytes().replace(b"\n", b"\r\n"))
    change(folder, "mutants.toml", '"x * 2"', '"""\n    return x * 2\n    #"""')
    change(folder, "mutants.toml", '"x * 3"', '"""\n    return x * 3\n    #"""')
    assignment = load(folder)
    assert b"    return x * 3\n    # END" in assignment.mutate(assignment.mutants[1])["more.py"]


def test_a_mutant_that_python_warns_about_is_read_quietly(folder: Path) -> None:
    change(folder, "mutants.toml", '"x * 3"', '"x is 3"')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(folder)


def test_everything_that_is_wrong_is_said_at_once(folder: Path) -> None:
    change(folder, "assignment.toml", '"tanh"', '"tahn"')
    change(folder, "assignment.toml", "memory_mb", "memory")
    change(folder, "hidden/test_hidden.py", "points=15", "points=14")
    change(folder, "mutants.toml", '"x * 2"', '"x * 4"')
    (folder / "handout" / "README.md").unlink()
    problems = problems_of(folder)
    assert len(problems) == 5
    with pytest.raises(AssignmentError) as caught:
        load(folder)
    assert str(caught.value).splitlines() == problems


def test_a_folder_elsewhere_is_named_in_full(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (folder / "mutants.toml").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (problem,) = problems_of(folder)
    assert problem.startswith(f"{folder / 'mutants.toml'}: ")
