"""The stub is the solution without its answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import Assignment, AssignmentError, discover, load
from grader.authoring.release import check, make_stub, stub_files, write_handout

ROOT = Path(__file__).resolve().parents[2]


def problems_of(source: str) -> list[str]:
    with pytest.raises(AssignmentError) as caught:
        make_stub(source, "layers.py")
    return caught.value.problems


def test_every_committed_handout_is_in_step_with_its_solution() -> None:
    assert check(load(folder) for folder in discover(ROOT / "assignments")) == []


def test_each_block_becomes_a_raise_at_its_indentation_and_the_rest_stays() -> None:
    source = '''\
import keras  # stays


class Layer(keras.Layer):
    """Doc."""

    def call(self, x):
        """What goes in."""
        if x is None:
            # BEGIN SOLUTION
            x = 1

            return x
            # END SOLUTION
        return x

    def build(self, shape):
        #BEGIN SOLUTION
        text = """
not indented
"""
        self.text = text
        #   END SOLUTION

# a remark
'''
    assert (
        make_stub(source, "layers.py")
        == '''\
import keras  # stays


class Layer(keras.Layer):
    """Doc."""

    def call(self, x):
        """What goes in."""
        if x is None:
            raise NotImplementedError
        return x

    def build(self, shape):
        raise NotImplementedError

# a remark
'''
    )


def test_a_file_indented_by_tabs_keeps_them() -> None:
    source = "def f():\n\t# BEGIN SOLUTION\n\treturn 1\n\t# END SOLUTION\n"
    assert make_stub(source, "f.py") == "def f():\n\traise NotImplementedError\n"


def test_a_file_with_windows_line_ends_is_read() -> None:
    source = "def f():\r\n    # BEGIN SOLUTION\r\n    return 1\r\n    # END SOLUTION\r\n"
    assert make_stub(source, "f.py") == "def f():\n    raise NotImplementedError\n"


def test_an_ordinary_comment_is_no_marker() -> None:
    source = "def f():\n    # begin with the end\n    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION\n"
    assert "# begin with the end\n" in make_stub(source, "f.py")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    # BEGIN SOLUTION\n    return 1\n", "layers.py:2: expected `# END SOLUTION` below"),
        ("    return 1\n    # END SOLUTION\n", "layers.py:3: expected `# BEGIN SOLUTION` above"),
        (
            "    # BEGIN SOLUTION\n    x = 1\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n",
            "layers.py:4: expected `# END SOLUTION` for line 2 first",
        ),
        (
            "    # BEGIN SOLUTON\n    return 1\n",
            "layers.py:2: expected `# BEGIN SOLUTION` or `# END SOLUTION`, received",
        ),
        (
            "    # begin solution\n    return 1\n",
            "layers.py:2: expected `# BEGIN SOLUTION` or `# END SOLUTION`, received",
        ),
        (
            "    ## BEGIN_SOLUTION\n    return 1\n",
            "layers.py:2: expected `# BEGIN SOLUTION` or `# END SOLUTION`, receiv",
        ),
        (
            "    # BEGIN SOLUTION:\n    return 1\n",
            "layers.py:2: expected `# BEGIN SOLUTION` or `# END SOLUTION`, receiv",
        ),
        (
            "    # the END SOLUTION\n    return 1\n",
            "layers.py:2: expected `# BEGIN SOLUTION` or `# END SOLUTION`, receiv",
        ),
        (
            '    """\n    # BEGIN SOLUTION\n    """\n',
            "layers.py:3: expected a marker in a comment of its own, received one",
        ),
        (
            "    x = 'BEGIN SOLUTION'\n",
            "layers.py:2: expected a marker in a comment of its own, received one in a stri",
        ),
        (
            "    x = 1  # BEGIN SOLUTION\n    # END SOLUTION\n",
            "layers.py:2: expected a marker alone on its line",
        ),
        (
            "    # BEGIN SOLUTION\n    # only words\n    # END SOLUTION\n    return 1\n",
            "layers.py:2: expected statements in the block",
        ),
        (
            "    # BEGIN SOLUTION\n    return 1\n  # END SOLUTION\n",
            "layers.py:4: expected the indentation of line 2",
        ),
        (
            "# BEGIN SOLUTION\n    return 1\n# END SOLUTION\n",
            "layers.py:2: expected the marker at the indentation of its",
        ),
        (
            "    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION\n\ndef g():\n\treturn 2\n",
            "layers.py:7: expected indentation by spaces only, received tabs and spaces",
        ),
        (
            "\t# BEGIN SOLUTION\n    return 1\n\t# END SOLUTION\n",
            "layers.py:2: expected indentation by spaces only, received tabs and spaces",
        ),
        (
            "    return 1\n",
            "layers.py: expected answers between `# BEGIN SOLUTION` and `# END SOLUTION`, received none",
        ),
        (
            "    # BEGIN SOLUTION\n    if x:\n        return\n    # END SOLUTION\n    else:\n        x = 2\n",
            "layers.py: expected blocks of whole statements, received: invalid syntax, line 3 of the stub",
        ),
        ("    return (\n", "layers.py: expected Python that compiles, received: "),
        ("    return '\0'\n", "layers.py: expected Python that compiles, received: "),
    ],
)
def test_markers_that_cannot_be_followed_are_refused_with_their_line(body: str, expected: str) -> None:
    problems = problems_of(f"def f(x):\n{body}")
    assert [problem[: len(expected)] for problem in problems[:1]] == [expected]


@pytest.mark.parametrize(
    "source",
    [
        "# BEGIN SOLUTION\ndef helper():\n    return 1\n# END SOLUTION\n",
        "class C:\n    # BEGIN SOLUTION\n    def f(self):\n        return 1\n    # END SOLUTION\n",
        "if True:\n    # BEGIN SOLUTION\n    x = 1\n    # END SOLUTION\n",
    ],
)
def test_a_block_that_would_stop_the_stubs_import_is_refused(source: str) -> None:
    (problem,) = problems_of(source)
    assert "expected the block inside a function" in problem


def test_everything_wrong_with_the_markers_is_said_at_once() -> None:
    source = "def f():\n    # END SOLUTION\n    x = 1  # BEGIN SOLUTION\n    return x\n"
    assert [problem.split(": ")[0] for problem in problems_of(source)] == [
        "layers.py:2",
        "layers.py:3",
        "layers.py:3",
    ]


def test_a_stub_that_is_in_step_is_left_alone(assignment: Assignment) -> None:
    assert check([assignment]) == []
    assert write_handout(assignment) == []


def test_a_stub_out_of_step_is_named_with_the_difference_and_can_be_rewritten(assignment: Assignment) -> None:
    file = assignment.handout / "scaling.py"
    file.write_text(file.read_text().replace("range from 0 to 1", "range 0-1"))
    (stale,) = check([assignment])
    assert stale.startswith("assignments/scaling/handout/scaling.py: not what the solution makes\n--- ")
    assert '-    """Scale every column of `table` to the range 0-1."""' in stale
    assert '+    """Scale every column of `table` to the range from 0 to 1."""' in stale
    assert write_handout(assignment) == [file]
    assert check([assignment]) == []
    assert file.read_bytes() == stub_files(assignment)["scaling.py"]
    assert sorted(path.name for path in assignment.handout.iterdir()) == [
        "README.md",
        "scaling.py",
        "test_public.py",
    ]


def test_line_ends_alone_put_a_stub_out_of_step(assignment: Assignment) -> None:
    file = assignment.handout / "scaling.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert check([assignment]) == [
        "assignments/scaling/handout/scaling.py: not what the solution makes\n(line endings differ)"
    ]


def test_the_difference_is_cut_short(assignment: Assignment) -> None:
    file = assignment.handout / "scaling.py"
    file.write_text("x = 1\n" * 500)
    assert len(check([assignment])[0].splitlines()) <= 21


def test_a_first_stub_is_written_where_there_is_none(assignment: Assignment) -> None:
    (assignment.handout / "scaling.py").unlink()
    assert write_handout(load(assignment.path, stubs=False)) == [assignment.handout / "scaling.py"]
    assert check([assignment]) == []


def test_a_missing_stub_is_out_of_step(assignment: Assignment) -> None:
    (assignment.handout / "scaling.py").unlink()
    assert check([assignment])[0].startswith(
        "assignments/scaling/handout/scaling.py: not what the solution makes"
    )


def test_a_solution_with_wrong_markers_is_out_of_step_and_writes_nothing(assignment: Assignment) -> None:
    solution = assignment.solution / "scaling.py"
    solution.write_text(solution.read_text().replace("# END SOLUTION", ""))
    before = (assignment.handout / "scaling.py").read_bytes()
    assert check([assignment]) == [
        "assignments/scaling/solution/scaling.py:7: expected `# END SOLUTION` below, received the file's end"
    ]
    with pytest.raises(AssignmentError):
        write_handout(assignment)
    assert (assignment.handout / "scaling.py").read_bytes() == before
