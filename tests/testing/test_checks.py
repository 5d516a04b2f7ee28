"""What a suite's markers say, and where the random numbers of a test come from."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from dlquiz.testing.checks import generator, read_checks

pytest_plugins = ["pytester"]

SUITE = '''
import pytest


@pytest.mark.problem("relu", points=6)
@pytest.mark.hint("What of negative numbers?")
@pytest.mark.parametrize("x", [1, 2, 3])
def test_relu(x):
    """Numbers below 0 become 0.

    More of it.
    """


@pytest.mark.problem("relu", points=1.5)
@pytest.mark.needs("test_relu", "test_other")
def test_more():
    pass


class TestGroup:
    @pytest.mark.problem("relu", points=2)
    @pytest.mark.parametrize("x", [1, 2])
    def test_within(self, x):
        pass


def test_unmarked():
    pass


@pytest.mark.problem("public")
def test_other():
    pass
'''


def test_a_check_is_what_its_markers_say(pytester: pytest.Pytester) -> None:
    items = pytester.getitems(SUITE)
    checks = {check.name: check for check in read_checks(items).values()}
    assert [checks[f"test_relu[{x}]"].points for x in (1, 2, 3)] == [2.0, 2.0, 2.0]
    first = checks["test_relu[1]"]
    assert (first.function, first.problem) == ("test_relu", "relu")
    assert first.title == "Numbers below 0 become 0."
    assert first.hint == "What of negative numbers?"
    assert (checks["test_more"].points, checks["test_more"].hint) == (1.5, "")
    assert checks["test_more"].needs == ("test_relu", "test_other")
    assert checks["test_within[1]"].points == 1.0
    assert checks["test_other"].points == 0.0
    assert "test_unmarked" not in checks


def test_functions_of_one_name_in_two_files_do_not_share_their_points(pytester: pytest.Pytester) -> None:
    marks = "@pytest.mark.problem('a', points=4)\n@pytest.mark.parametrize('x', [1, 2])\n"
    source = f"import pytest\n{marks}def test_x(x): pass"
    pytester.makepyfile(test_one=source, test_two=source)
    items, _ = pytester.inline_genitems("--import-mode=importlib")
    assert [check.points for check in read_checks(items).values()] == [2.0] * 4


def test_a_test_of_two_problems_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import pytest\n@pytest.mark.problem('a', points=1)\n@pytest.mark.problem('b', points=1)\ndef test_x(): pass"
    )
    result = pytester.runpytest("--collect-only")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_x: a test belongs to one problem, this one names 2"])


@pytest.mark.parametrize("arguments", ["points=1", "'a', 3"])
def test_a_problem_without_its_name_alone_is_refused(pytester: pytest.Pytester, arguments: str) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.problem({arguments})\ndef test_x(): pass")
    result = pytester.runpytest("--collect-only")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*write @pytest.mark.problem(*"])


def test_the_seed_and_the_name_of_a_test_decide_its_numbers() -> None:
    drawn = generator(7, "test_a[3]").normal(size=4)
    np.testing.assert_array_equal(drawn, generator(7, "test_a[3]").normal(size=4))
    for other in (generator(8, "test_a[3]"), generator(7, "test_a[4]"), generator(7, "test_b")):
        assert not np.allclose(drawn, other.normal(size=4))


def test_the_numbers_are_the_same_in_every_process() -> None:
    code = "from dlquiz.testing.checks import generator; print(generator(7, 'test_a').integers(10**12))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert seen == {f"{generator(7, 'test_a').integers(10**12)}\n"}
