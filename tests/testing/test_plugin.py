"""Suites in plain pytest: the student's module in the same process, points at the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

# in this process from the start, so that runs within runs do not import it anew
import dlquiz.testing.direct  # noqa: F401
from dlquiz.testing.plugin import find_student

pytest_plugins = ["pytester"]

SUITE = """
import pytest


@pytest.mark.problem("relu", points=3)
def test_negative(student):
    assert student.relu(-1) == 0


@pytest.mark.problem("relu", points=1)
@pytest.mark.needs("test_negative")
def test_positive(student):
    assert student.relu(2) == 2


@pytest.mark.problem("double", points=4)
@pytest.mark.parametrize("x", [1, 2])
def test_double(student, x):
    assert student.double(x) == 2 * x
"""
RIGHT = "def relu(x): return max(x, 0)\ndef double(x): return 2 * x\n"
HALF = "def relu(x): return x\ndef double(x): return 2\n"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A hidden suite beside a right solution, and an answer that is half right."""
    files = {"hidden/test_hidden.py": SUITE, "solution/answer.py": RIGHT, "other/answer.py": HALF}
    for name, content in files.items():
        (pytester.path / name).parent.mkdir()
        (pytester.path / name).write_text(content)
    return pytester


def test_markers_are_declared(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import pytest\n@pytest.mark.problem('a')\n@pytest.mark.hint('b')\n@pytest.mark.needs('c')\ndef test_x(): pass"
    )
    result = pytester.runpytest("--strict-markers")
    result.assert_outcomes(passed=1)


def test_a_suite_runs_against_its_solution_unless_told_otherwise(suite: pytest.Pytester) -> None:
    result = suite.runpytest("hidden")
    result.assert_outcomes(passed=4)
    result.stdout.re_match_lines([r"relu +4\.00 / 4\.00", r"double +4\.00 / 4\.00"])


def test_points_are_of_the_tests_that_passed(suite: pytest.Pytester) -> None:
    result = suite.runpytest("hidden", "--student", "other")
    result.assert_outcomes(passed=1, failed=2, skipped=1)
    result.stdout.re_match_lines([r"relu +0\.00 / 4\.00", r"double +2\.00 / 4\.00"])


def test_a_test_is_skipped_when_what_it_needs_did_not_pass(suite: pytest.Pytester) -> None:
    result = suite.runpytest("hidden", "--student", "other", "-rs")
    result.stdout.fnmatch_lines(["SKIPPED*needs test_negative, which did not pass"])


def test_a_test_that_needs_one_case_is_skipped_when_any_case_failed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.problem("a")
        @pytest.mark.parametrize("x", [0, 1])
        def test_first(x):
            assert x == 1

        @pytest.mark.problem("a")
        @pytest.mark.needs("test_first")
        def test_second():
            pass

        @pytest.mark.problem("a")
        @pytest.mark.needs("test_second")
        def test_third():
            pass
        """
    )
    pytester.runpytest().assert_outcomes(passed=1, failed=1, skipped=2)


@pytest.mark.parametrize("given", ["other", "other/answer.py"])
def test_a_student_is_a_file_or_a_folder(suite: pytest.Pytester, given: str) -> None:
    suite.runpytest("hidden", "--student", given).assert_outcomes(passed=1, failed=2, skipped=1)


def test_a_folder_with_two_files_is_ambiguous(suite: pytest.Pytester) -> None:
    (suite.path / "other" / "more.py").write_text("")
    result = suite.runpytest("hidden", "--student", "other")
    result.assert_outcomes(errors=3, skipped=1)
    result.stdout.fnmatch_lines(["*holds answer.py, more.py: say which is meant with --student FILE*"])


def test_a_student_that_is_not_there_is_named(suite: pytest.Pytester) -> None:
    result = suite.runpytest("hidden", "--student", "nowhere")
    result.assert_outcomes(errors=3, skipped=1)
    result.stdout.fnmatch_lines(["*no student's file found in nowhere: name it with --student FILE*"])


def test_the_file_beside_a_public_suite_is_the_students(tmp_path: Path) -> None:
    for name in ("test_public.py", "conftest.py", "answer.py"):
        (tmp_path / name).write_text("")
    assert find_student(tmp_path / "test_public.py", None) == tmp_path / "answer.py"


def test_a_suite_without_points_shows_none(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        answer="def relu(x): return max(x, 0)",
        test_public="""
        import pytest

        @pytest.mark.problem("relu")
        def test_relu(student):
            assert student.relu(-1) == 0
        """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*= points =*")


def test_ordinary_tests_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(): assert False\ndef test_b(): pass")
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("*= points =*")


def draws(result: pytest.RunResult) -> list[str]:
    return re.findall(r"DRAWN (\S+ \S+)", result.stdout.str())


def test_a_run_is_repeated_by_the_seed_it_shows(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_a(rng, request):
            print("DRAWN", request.node.name, rng.normal())

        def test_b(rng, request):
            print("DRAWN", request.node.name, rng.normal())
        """
    )
    first = pytester.runpytest("-s")
    (seed,) = re.findall(r"dlquiz: --seed (\d+)", first.stdout.str())
    assert draws(pytester.runpytest("-s", "--seed", seed)) == draws(first)
    assert draws(pytester.runpytest("-s", "--seed", str(int(seed) + 1))) != draws(first)
    assert draws(pytester.runpytest("-s", "--seed", seed, "-k", "test_b")) == draws(first)[1:]
    assert draws(pytester.runpytest("-s")) != draws(first)
    assert len(set(draws(first))) == 2


def test_an_import_that_fails_is_an_error_of_every_test(suite: pytest.Pytester) -> None:
    (suite.path / "other" / "answer.py").write_text("def relu(x:\n")
    result = suite.runpytest("hidden", "--student", "other")
    result.assert_outcomes(errors=3, skipped=1)
    result.stdout.fnmatch_lines(["*SyntaxError*"])


@pytest.mark.parametrize(
    ("manifest", "found"),
    [('{"submit": ["answer.py"]}', True), ('{"submit": ["gone.py"]}', False), ("{", False), ("[]", False)],
)
def test_a_started_assignment_says_which_of_several_files_is_meant(
    tmp_path: Path, manifest: str, found: bool
) -> None:
    for name in ("test_public.py", "scratch.py", "answer.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "assignment.json").write_text(manifest)
    if found:
        assert find_student(tmp_path / "test_public.py", None) == tmp_path / "answer.py"
    else:
        with pytest.raises(pytest.UsageError, match="say which is meant"):
            find_student(tmp_path / "test_public.py", None)
