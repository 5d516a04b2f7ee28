"""Suites that are at fault: refused at the start where that can be told, else an error that is never a mark."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from dlquiz.testing.verdict import Verdict
from grader.engine.processes import EngineError
from grader.result import Result

Grade = Callable[..., Result]

ONE = {"a": 1.0}
HEAD = "import pytest\n"
MARK = '@pytest.mark.problem("a", points=1)\n'


TEST = "def test_a(student): pass"
UNUSABLE = {
    "no such import": ("import nowhere_at_all", "No module named 'nowhere_at_all'"),
    "no Python": ("def broken(:", "SyntaxError"),
    "an import that raises": ("raise ValueError('at import')", "ValueError: at import"),
    "no marker": (f"{HEAD}{TEST}", "tests without @pytest.mark.problem"),
    "one test without": (f"{HEAD}{MARK}{TEST}\ndef test_b(student): pass", "test_hidden.py::test_b"),
    "no test": (f"{HEAD}x = 1", "no tests at all"),
    "all skipped": (f"{HEAD}pytest.skip('not today', allow_module_level=True)", "no tests"),
    "too many points": (
        f"{HEAD}@pytest.mark.problem('a', points=2)\n{TEST}",
        "'a' carry 2 points, the manifest says 1",
    ),
    "another problem": (
        f"{HEAD}@pytest.mark.problem('b', points=1)\n{TEST}",
        "the manifest has no problem b",
    ),
    "two problems": (
        f"{HEAD}@pytest.mark.problem('b', points=1)\n{MARK}{TEST}",
        "a test belongs to one problem",
    ),
    "a nameless problem": (f"{HEAD}@pytest.mark.problem(points=1)\n{TEST}", "write @pytest.mark.problem("),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_suite_that_cannot_be_used_is_an_error_with_its_reason(own_engine: Any, name: str) -> None:
    suite, text = UNUSABLE[name]
    engine = own_engine(suite, ONE)
    with pytest.raises(EngineError) as caught, engine:
        pass
    assert text in str(caught.value)
    assert "test_hidden.py" in str(caught.value)
    assert not engine.folder.exists()


def test_points_of_a_problem_that_the_manifest_does_not_have_are_refused(own_engine: Any) -> None:
    suite = f"{HEAD}{MARK}def test_a(student): pass\n@pytest.mark.problem('typo', points=1)\ndef test_b(student): pass"
    with pytest.raises(EngineError, match="typo"), own_engine(suite, ONE):
        pass


def test_a_preload_that_does_not_exist_is_an_error(own_engine: Any) -> None:
    with pytest.raises(EngineError, match="No module named 'nolib'"), own_engine(preload=("nolib",)):
        pass


def test_a_forbidden_name_that_does_not_exist_is_an_error(own_engine: Any) -> None:
    with (
        pytest.raises(EngineError, match=r"forbidden name 'numpy\.nothing' does not exist"),
        own_engine(forbidden=("numpy.nothing",)),
    ):
        pass


def test_a_forbidden_name_is_forbidden_to_students_and_not_to_the_suite(
    own_engine: Any, grade: Grade
) -> None:
    suite = f"{HEAD}import numpy as np\n{MARK}def test_a(student):\n    assert student.f() == float(np.prod([2, 3]))"
    with own_engine(suite, ONE, forbidden=("numpy.prod",)) as engine:
        assert grade(engine, "def f():\n    return 6.0").points == 1
        used = grade(engine, "import numpy as np\ndef f():\n    return float(np.prod([2, 3]))")
        assert used.tests[0].verdict is Verdict.FORBIDDEN
        assert "numpy.prod is forbidden" in used.tests[0].message


@pytest.mark.parametrize(
    "body",
    [
        "pytest.skip('no reason')",
        "undefined",
        "student.f(object())" + " if False else 1 / 0",
        "pytest.importorskip('nolib')",
    ],
)
def test_a_test_that_is_at_fault_itself_is_a_grader_error_and_no_mark(
    own_engine: Any, grade: Grade, body: str
) -> None:
    other = "@pytest.mark.problem('b', points=1)\ndef test_b(student):\n    assert student.f() == 1"
    suite = f"{HEAD}{MARK}def test_a(student):\n    {body}\n{other}"
    with own_engine(suite, {"a": 1.0, "b": 1.0}) as engine:
        result = grade(engine, "def f():\n    return 1")
    assert not result.graded
    assert [test.verdict for test in result.tests] == [Verdict.GRADER_ERROR, Verdict.PASSED]
    assert result.points == 1.0
    assert result.faults
    assert result.faults[0].startswith("test_a: ")


def test_a_suite_that_skips_itself_after_asking_is_a_grader_error_too(own_engine: Any, grade: Grade) -> None:
    suite = f"{HEAD}{MARK}def test_a(student):\n    if student.f() != 1:\n        pytest.skip('x')"
    with own_engine(suite, ONE) as engine:
        result = grade(engine, "def f():\n    return 2")
    assert result.tests[0].verdict is Verdict.GRADER_ERROR
    assert "the suite skipped itself" in result.tests[0].message


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_broken_fixture_is_a_grader_error(own_engine: Any, grade: Grade, when: str) -> None:
    body = {"before": "1 / 0\n    yield", "after": "yield\n    1 / 0"}[when]
    suite = (
        f"{HEAD}@pytest.fixture\ndef thing():\n    {body}\n{MARK}def test_a(thing, student):\n    assert True"
    )
    with own_engine(suite, ONE) as engine:
        result = grade(engine)
    assert not result.graded
    assert result.tests[0].verdict is Verdict.GRADER_ERROR
    assert "ZeroDivisionError" in result.tests[0].detail


def test_a_suite_that_exits_is_a_grader_error_and_the_next_submission_is_graded(
    own_engine: Any, grade: Grade
) -> None:
    suite = f"{HEAD}import os\n{MARK}def test_a(student):\n    if student.f() == 'exit':\n        os._exit(5)"
    with own_engine(suite, ONE) as engine:
        result = grade(engine, "def f():\n    return 'exit'")
        assert not result.graded
        assert "the referee ended early" in result.faults[0]
        assert grade(engine, "def f():\n    return 1").points == 1


def test_a_suite_that_prints_and_warns_disturbs_nobody(own_engine: Any, grade: Grade) -> None:
    body = "print('x' * 100_000)\n    warnings.warn('odd')\n    os.write(1, b'x' * 100_000)"
    suite = f"{HEAD}import os, warnings\n{MARK}def test_a(student):\n    {body}"
    with own_engine(suite, ONE) as engine:
        assert grade(engine).points == 1


def test_a_long_reason_is_cut(own_engine: Any, grade: Grade) -> None:
    suite = f"{HEAD}{MARK}def test_a(student):\n    raise AssertionError('\\U0001f600' * 100_000)"
    with own_engine(suite, ONE) as engine:
        result = grade(engine)
    assert result.tests[0].verdict is Verdict.FAILED
    assert len(result.tests[0].detail) <= 8_000


def test_the_state_of_a_suite_is_fresh_for_every_submission(own_engine: Any, grade: Grade) -> None:
    suite = f"{HEAD}SEEN = []\n{MARK}def test_a(student):\n    SEEN.append(1)\n    assert len(SEEN) == 1"
    with own_engine(suite, ONE) as engine:
        assert [grade(engine).points for _ in range(3)] == [1.0, 1.0, 1.0]


def test_a_suite_may_use_classes_and_fixtures_of_every_scope(own_engine: Any, grade: Grade) -> None:
    suite = textwrap.dedent(
        """
        import pytest

        @pytest.fixture(scope="session")
        def one():
            return 1

        @pytest.fixture(scope="module", params=[1, 2])
        def several(request):
            return request.param

        class TestAll:
            @pytest.mark.problem("a", points=1)
            def test_within(self, one, several, student, tmp_path):
                assert student.echo(several) == several * one
        """
    )
    with own_engine(suite, ONE) as engine:
        result = grade(engine)
    assert result.points == 1
    assert [test.max_points for test in result.tests] == [0.5, 0.5]


def test_a_suite_that_starts_tensorflow_at_import_is_refused(own_engine: Any) -> None:
    """A made-up runtime: what is looked at is whether TensorFlow's context has been started."""
    suite = f"""
import sys, types
context = types.ModuleType("tensorflow.python.eager.context")
context.context_safe = lambda: types.SimpleNamespace(_context_handle=object())
sys.modules["tensorflow.python.eager.context"] = context
{HEAD}{MARK}def test_a(student): pass
"""
    with (
        pytest.raises(EngineError, match="a TensorFlow operation ran while the suite"),
        own_engine(suite, ONE),
    ):
        pass


def test_a_measured_quality_earns_a_part_and_is_kept_with_its_picture(own_engine: Any, grade: Any) -> None:
    suite = """
        import pytest

        @pytest.mark.problem("double", points=4)
        def test_part(student, award, exhibit):
            exhibit({"kind": "learning_curves", "train": [1.0, 0.5]})
            award(student.double(0.3), floor=0.5, target=0.9)

        @pytest.mark.problem("double", points=4)
        def test_caught(student, award):
            try:
                award(student.double(0.3), floor=0.5, target=0.9)
            except AssertionError:
                pass

        @pytest.mark.problem("double", points=2)
        def test_all(student, award):
            award(student.double(0.5), floor=0.5, target=0.9)

        @pytest.mark.problem("double", points=2)
        def test_ended(student, award):
            try:
                award(student.double(0.3), floor=0.5, target=0.9)
            except AssertionError:
                student.end()
        """
    with own_engine(suite, {"double": 12.0}) as engine:
        result = grade(engine, "\ndef end():\n    import os\n    os._exit(0)\n")
    part, caught, everything, ended = result.tests
    assert (part.verdict, part.points) == ("failed", pytest.approx(1.0))
    assert part.message == part.reason
    assert "0.6: 25% of the points" in part.reason
    assert part.figures == ({"kind": "learning_curves", "train": [1.0, 0.5]},)
    assert (caught.verdict, caught.points) == ("failed", pytest.approx(1.0))
    assert (everything.verdict, everything.points) == ("passed", 2.0)
    assert "100% of the points" in everything.reason
    assert (ended.verdict, ended.points) == ("crashed", 0.0)
    assert result.points == pytest.approx(4.0)
    assert Result.from_json(result.to_json()) == result


def test_a_suite_that_awards_by_no_rule_is_our_fault(own_engine: Any, grade: Any) -> None:
    suite = """
        import pytest

        @pytest.mark.problem("double", points=4)
        def test_part(student, award):
            award(student.double(0.3), floor=0.5, target=0.5)
        """
    with own_engine(suite, {"double": 4.0}) as engine:
        result = grade(engine)
    assert result.tests[0].verdict == "grader error"
    assert not result.graded
