"""An entry that is a notebook: what of it becomes the module."""

from __future__ import annotations

import json
import subprocess
import textwrap

import pytest

from dlquiz.notebooks import statements
from dlquiz.notebooks.cells import convert
from grader.submission import notebook, read
from grader.submission.members import MAX_SOURCE, Unusable
from grader.submission.notebook import module_source

NAME = "normalization.py"
F = "def f(x):\n    return x"
GUARDED = 'try: {}\nexcept Exception: __import__("traceback").print_exc()'


@pytest.fixture
def made(make_notebook):
    """The source and the notes that cells give."""

    def make(*cells: str) -> tuple[str, list[str]]:
        module = convert(make_notebook(*cells), NAME, MAX_SOURCE)
        return module.source, list(module.notes)

    return make


@pytest.fixture
def run(made):
    """The names that the module of some cells binds when it is run."""

    def make(*cells: str) -> dict[str, object]:
        names: dict[str, object] = {"__name__": "normalization"}
        exec(compile(made(*cells)[0], NAME, "exec", dont_inherit=True), names)
        return names

    return make


def test_code_cells_are_joined_in_order_under_comments_with_their_numbers(hand_in, make_notebook):
    found = hand_in("bo.ipynb", make_notebook("import math", F, "def g(x):\n    return f(math.pi)"))
    assert found.files[NAME].decode() == (
        '# cell 1\ntry: import math\nexcept ModuleNotFoundError: __import__("traceback").print_exc()\n'
        "# cell 2\ndef f(x):\n    return x\n# cell 3\ndef g(x):\n    return f(math.pi)\n"
    )
    assert found.notes == (f"bo.ipynb read as {NAME}",)
    assert found.problems == ()


def test_only_code_cells_count_and_a_source_may_be_a_list():
    cells = [
        {"cell_type": "markdown", "source": "def no(): pass"},
        {"cell_type": "code", "source": ["def f(x):\n", "    return x\n"]},
    ]
    assert convert(json.dumps({"cells": cells}).encode(), NAME, 100).source == f"# cell 1\n{F}\n"


def test_notebook_of_format_3_is_read():
    sheet = {"cells": [{"cell_type": "code", "input": F}, {"cell_type": "heading", "source": "x"}]}
    data = json.dumps({"nbformat": 3, "worksheets": [sheet]}).encode()
    assert convert(data, NAME, 100).source == f"# cell 1\n{F}\n"


def test_magics_shell_and_help_lines_are_dropped_and_reported_with_their_places(made):
    cell = (
        "%matplotlib inline\n!pip install a \\\n   b\nfiles = !ls\nf?\n?f\nx = 1 # ?\n"
        "get_ipython().system('ls')\n" + F
    )
    source, notes = made(F, cell)
    assert source.count(F) == 2
    assert "pip" not in source
    places = ", ".join(f"cell 2 line {line}" for line in (1, 2, 3, 4, 5, 6, 8))
    assert notes == [
        f"magic, shell and help lines dropped: {places}",
        "demonstration statements dropped: cell 2 line 7",
    ]


def test_get_ipython_in_plain_python_is_dropped_and_reported(made):
    source, notes = made("ip = get_ipython()\nif 'colab' in str(get_ipython()):\n    import a", F)
    assert source == f"# cell 2\n{F}\n"
    assert notes == ["magic, shell and help lines dropped: cell 1 line 1, cell 1 line 2"]


def test_percent_inside_a_string_or_an_expression_is_code(run):
    cell = '%time\nDOC = """\n%time\n!ls\n"""\nREST = (7\n% 4)\nSUM = 9 \\\n% 5\n'
    assert run(cell + "def f():\n    return DOC, REST, SUM")["f"]() == ("\n%time\n!ls\n", 3, 4)


def test_quotes_in_comments_and_shell_lines_do_not_hide_code(run):
    cell = "!echo don't\n# isn't ( '''\n%time\nX = 'it\\'s (' # don't\n!ls\ndef f():\n    return X"
    assert run(cell)["f"]() == "it's ("


def test_shell_line_in_a_block_leaves_the_block_whole(run):
    assert run("if True:\n    !pip install x\n    def f():\n        return 1")["f"]() == 1


def test_timed_cell_keeps_its_body(made):
    source, notes = made("%%time\n" + F)
    assert source == f"# cell 1\n{F}\n"
    assert notes == ["magic, shell and help lines dropped: cell 1 line 1"]


def test_cell_in_another_language_is_dropped_whole(made):
    source, notes = made(F, "%%bash\ndef g(): pass", "%%html\n<b>")
    assert source == f"# cell 1\n{F}\n"
    assert notes == ["cell 2 dropped: %%bash", "cell 3 dropped: %%html"]


def test_cell_written_to_the_file_asked_for_is_code(made):
    source, notes = made(f"%%writefile ./{NAME}\n{F}", "%%writefile other.py\ndef g(): pass")
    assert source == f"# cell 1\n{F}\n"
    assert notes == [
        f"cell 1: its body is read as code, since it writes {NAME}",
        "cell 2 dropped: %%writefile",
    ]


def test_cell_with_a_syntax_error_is_dropped_and_the_others_stay(made):
    source, notes = made(F, "x = 1\ndef broken(:\n    pass", "def g():\n    return 2")
    assert source == f"# cell 1\n{F}\n# cell 3\ndef g():\n    return 2\n"
    assert notes == ["cell 2 dropped: it is not Python (invalid syntax, line 2)"]


@pytest.mark.parametrize(
    "bad", ["return 1", "def h(a, a): pass", "yield 2", "break", "from __future__ import nope"]
)
def test_statement_that_does_not_compile_is_dropped_alone(made, bad):
    source, notes = made(f"{bad}\n{F}")
    assert source == f"# cell 1\n{F}\n"
    assert notes[0].startswith("cell 1 line 1 dropped: it is not Python (")


def test_demonstrations_are_dropped_and_summed_up_in_one_note(made):
    demo = "'a remark'\nmodel = f(1)\nprint(model)\nfor i in range(3):\n    f(i)\nwith open('x'):\n    pass\n"
    source, notes = made(F, demo, "if __name__ == '__main__':\n    def main(): pass\nmodel.fit()")
    assert source == f"# cell 1\n{F}\n"
    places = "cell 2 line 2, cell 2 line 3, cell 2 line 4, cell 2 line 6, cell 3 line 1, cell 3 line 3"
    assert notes == [f"demonstration statements dropped: {places}"]


def test_failing_demonstration_does_not_break_the_module(run):
    names = run(
        "import no_such_plots as p\np.style()", F, "data = open('no such file').read()\nf(data)\n1 / 0"
    )
    assert names["f"](3) == 3


def test_demonstration_that_reuses_a_function_name_does_not_replace_it(run):
    names = run(
        "def loss(x):\n    return x",
        "def total(x):\n    return loss(x)",
        "loss = loss(3)\nfrom math import pi as loss",
    )
    assert names["total"](5) == 5


@pytest.mark.parametrize(
    "definition",
    [
        "def f(x=A):\n    return x",
        "def f():\n    return A",
        "def f():\n    return [A for _ in range(1)][0]",
        "def f():\n    def g():\n        return A\n    return g()",
        "class C:\n    a = A\nf = lambda: C.a",
        "class C:\n    def a(self):\n        return A\ndef f():\n    return C().a()",
        "def f(x: A = 2):\n    return x",
        "class D(type(A)):\n    pass\ndef f():\n    return D(2)",
        "def same(n):\n    return lambda g: g\n@same(A)\ndef f():\n    return 2",
        "@(\n    lambda g: (lambda: A)\n)\ndef f():\n    pass",
        "B = A\ndef f():\n    return B",
        "def f():\n    global A\n    A += 0\n    return A",
    ],
)
def test_assignment_that_a_definition_refers_to_is_kept(run, definition):
    assert run("A = 2\nUNUSED = 1 / 0", definition)["f"]() == 2


def test_changes_to_what_a_definition_refers_to_are_kept_in_order(run):
    cells = ("A = {}\nA['x'] = 1\nb = c = 1\nb += 2\n(d, [e]) = 3, [4]", "def f():\n    return A, b, c, d, e")
    assert run(*cells)["f"]() == ({"x": 1}, 3, 1, 3, 4)


def test_local_name_or_method_does_not_keep_a_demonstration_of_the_same_name(made):
    source, _ = made(
        "x = y = call = big()", "def f(x):\n    y = x\n    return y\nclass A:\n    def call(self): pass"
    )
    assert "big" not in source


def test_functions_bound_by_assignment_are_kept(run):
    cell = "sq = lambda x: x * x\nroot = math.sqrt\nhyp = functools.partial(math.hypot, 3)\nalias = sq"
    names = run("import math, functools", cell)
    assert [names["sq"](3), names["root"](9), names["hyp"](4), names["alias"](2)] == [9, 3, 5, 4]


def test_attribute_set_on_a_class_is_kept(run):
    assert run("class A:\n    pass", "A.scale = 3\nother = A()\nother.scale = 4")["A"].scale == 3


def test_if_and_try_blocks_that_define_are_kept(run):
    cells = (
        "try:\n    import no_such_package as fast\nexcept ImportError:\n    fast = None",
        "if fast is None:\n    def f():\n        return fast\nelse:\n    f = fast.f",
    )
    assert run(*cells)["f"]() is None


def test_definition_in_an_except_clause_is_kept(run):
    assert (
        run("try:\n    import no_such_package\nexcept ImportError:\n    def f():\n        return 1")["f"]()
        == 1
    )


def test_package_is_kept_for_the_module_in_it(run):
    assert run("import os.path", "def f():\n    return os.path.sep")["f"]() == "/"


def test_imports_that_nothing_uses_are_dropped_and_reported(made):
    source, notes = made(
        "import numpy as np, seaborn\nfrom google.colab import drive", "def f():\n    return np"
    )
    assert "seaborn" not in source
    assert notes == [
        "imports that no definition uses dropped: import seaborn, from google.colab import drive"
    ]


def test_missing_package_breaks_only_the_function_that_uses_it(run, capfd):
    names = run("import no_such_plots as p, math", "def plot():\n    p.show()\ndef f():\n    return math.pi")
    assert names["f"]() > 3
    with pytest.raises(NameError):
        names["plot"]()
    assert "No module named 'no_such_plots'" in capfd.readouterr().err


def test_missing_package_that_a_definition_needs_at_once_is_an_import_error(run):
    with pytest.raises(ModuleNotFoundError):
        run("import no_such_package as p", "class A(p.Layer):\n    pass")
    with pytest.raises(ModuleNotFoundError):
        run("import no_such_package as p", "if p.fast:\n    size = 1", "def f():\n    return size")


def test_failing_data_breaks_only_the_function_that_uses_it(run, capfd):
    names = run(
        'data = open("""no\nfile""").read()\nrows = data.split()\ncount += 1',
        "def show():\n    return rows, count",
        F,
    )
    assert names["f"](1) == 1
    printed = capfd.readouterr().err
    assert "FileNotFoundError" in printed
    assert "name 'count' is not defined" in printed


def test_value_that_a_class_needs_at_once_fails_where_it_is_set(run):
    with pytest.raises(ZeroDivisionError):
        run("a = 1\nb = a / 0", "class A:\n    c = b")


def test_star_import_is_kept_only_where_a_name_would_be_missing(run, made):
    assert run("from math import *", "def f():\n    return pi")["f"]() > 3
    assert "math" not in made("from math import *", "def f(x):\n    return len(x)")[0]


def test_future_import_comes_first(run):
    names = run("import math", "from __future__ import annotations\ndef f(x: Missing):\n    return math.pi")
    assert names["f"](0) > 3


def test_name_set_only_in_a_loop_is_reported(made):
    _, notes = made("for i in range(3):\n    table = i", "def f():\n    return table")
    assert "names that definitions use but only dropped statements set: table (cell 1 line 1)" in notes


def test_decorators_semicolons_and_wide_characters_are_cut_out_exactly(run, made):
    cell = "é = 'ü'; A = 2; print('ß'); B = A # x\n@staticmethod\n@property\ndef g(): pass\n"
    cell += "def f():\n    return é, A, B"
    assert run(cell)["f"]() == ("ü", 2, 2)
    definitions = cell[cell.index("@") :]
    assert made(cell)[0] == f"# cell 1\né = 'ü'\nA = 2\n{GUARDED.format('B = A')}\n{definitions}\n"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_read(run, end):
    assert run("%time\nA = '''\n'''\ndef f():\n    return A\n".replace("\n", end))["f"]() == "\n"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"3",
        b"{}",
        b'{"cells": 3}',
        b'{"cells": [3]}',
        b'{"cells": [{}]}',
        b"\xff\xfe",
        b"[" * 10**5,
        b'{"cells": [{"cell_type": "code"}]}',
        b'{"cells": [{"cell_type": "code", "source": [1]}]}',
        b"9" * 5000,
    ],
)
def test_file_that_is_no_notebook_is_a_problem(content):
    with pytest.raises(Unusable, match="is not a notebook"):
        convert(content, NAME, 1000)


def test_notebook_that_defines_nothing_is_a_problem_with_a_reason(hand_in, make_notebook):
    found = hand_in("bo.ipynb", make_notebook("import math\nprint(math.pi)"))
    assert found.files == {}
    assert found.problems == ("bo.ipynb has no code cell that defines a function or a class",)
    with pytest.raises(Unusable, match=r"cell 1 dropped: it is not Python \(invalid syntax, line 1\)"):
        convert(make_notebook("def f(:"), NAME, 1000)


def test_notebook_that_only_imports_defines_nothing(make_notebook):
    with pytest.raises(Unusable, match="has no code cell that defines"):
        convert(make_notebook("from __future__ import annotations\nimport math"), NAME, 1000)


def test_empty_notebook_file_is_a_problem(hand_in):
    assert hand_in("bo.ipynb", b"").problems == ("bo.ipynb is empty: hand in the file with your answers",)


def test_code_over_the_limit_is_a_problem(make_notebook):
    with pytest.raises(Unusable, match="more than 30 characters of code"):
        convert(make_notebook(F, F), NAME, 30)


def test_code_that_takes_more_bytes_than_characters_stays_within_the_limit(make_notebook):
    with pytest.raises(Unusable, match="the limit is 1 MB"):
        module_source(make_notebook(f"def f():\n    return '{'Ω' * 600_000}'"), NAME)


def test_large_outputs_do_not_count_as_code(hand_in, make_notebook):
    data = json.loads(make_notebook(F))
    data["cells"][0]["outputs"] = [{"data": {"image/png": "A" * 5_000_000}}]
    assert hand_in("bo.ipynb", json.dumps(data).encode()).files


@pytest.mark.parametrize(
    "cell",
    [
        "x = " + "(" * 5000,
        "x = a" + ".b" * 20000,
        "x = 1" + "+1" * 20000,
        "x = " + "-" * 20000 + "1",
        "x = '\ud800'",
        "\x00",
        "if a:\n    pass\n" + "elif a:\n    pass\n" * 1200,
        "x = " + "[" * 190 + "]" * 190,
    ],
)
def test_code_nested_beyond_reason_is_dropped_and_the_rest_stays(hand_in, make_notebook, cell):
    found = hand_in("bo.ipynb", make_notebook(F, cell))
    assert found.files[NAME].decode() == f"# cell 1\n{F}\n"
    assert len(found.notes) == 2


def test_code_that_only_just_parses_does_not_stop_the_rest(made, monkeypatch):
    def compile_(text, *args, **kwargs):
        if text != F:
            raise RecursionError

    monkeypatch.setattr(statements, "compile", compile_, raising=False)
    source, notes = made(F, "x = 1")
    assert source == f"# cell 1\n{F}\n"
    assert notes == ["cell 2 line 1 dropped: nested too deeply"]


def test_many_lines_of_magic_are_read_in_linear_time(hand_in, make_notebook):
    found = hand_in("bo.ipynb", make_notebook(F, "%a\n" * 60_000 + "x" + " " * 60_000 + "y"))
    assert found.files


@pytest.mark.parametrize(
    "body",
    ["raise SystemExit(3)", "print('no json')", "import os; os.kill(os.getpid(), 11)", "x = bytes(10**10)"],
)
def test_reader_that_dies_is_a_problem_and_not_a_crash(hand_in, make_notebook, monkeypatch, body):
    monkeypatch.setattr(notebook, "_CHILD", body)
    problem = "bo.ipynb is too large or too deeply nested to be read: hand in a plain .py file"
    assert hand_in("bo.ipynb", make_notebook(F)).problems == (problem,)


def test_reader_that_hangs_is_ended(hand_in, make_notebook, monkeypatch):
    monkeypatch.setattr(notebook, "SECONDS", 0.1)
    monkeypatch.setattr(notebook, "_CHILD", "import time; time.sleep(60)")
    assert "too large or too deeply nested" in hand_in("bo.ipynb", make_notebook(F)).problems[0]


def test_reader_is_bounded_in_memory_and_time(make_notebook, monkeypatch):
    limits = "import resource, sys; [print(*resource.getrlimit(kind), file=sys.stderr) for kind in (9, 0, 4)]"
    monkeypatch.setattr(notebook, "_CHILD", f"{notebook._CHILD}; {limits}")
    seen = []
    real = subprocess.run
    monkeypatch.setattr(notebook.subprocess, "run", lambda *a, **k: seen.append(real(*a, **k)) or seen[0])
    module_source(make_notebook(F), NAME)
    assert seen[0].stderr.split() == [b"1000000000"] * 2 + [b"10"] * 2 + [b"0"] * 2


def test_nothing_of_the_notebook_is_run(hand_in, make_notebook, tmp_path):
    mark = tmp_path / "ran"
    cell = textwrap.dedent(f"""
        open({str(mark)!r}, "w")
        class A:
            open({str(mark)!r}, "w")
        """)
    assert hand_in("bo.ipynb", make_notebook(cell)).files
    assert not mark.exists()


def test_notebook_of_the_same_name_stands_for_its_file_where_several_are_asked_for(tmp_path, make_notebook):
    (tmp_path / "ada").mkdir()
    for name in ("a", "b", "scratch"):
        (tmp_path / "ada" / f"{name}.ipynb").write_bytes(make_notebook(f"def {name}():\n    return 1"))
    (tmp_path / "ada" / "b.py").write_bytes(b"plain = 1\n")
    found = read(tmp_path / "ada", ("a.py", "b.py"))
    assert found.files == {"a.py": b"# cell 1\ndef a():\n    return 1\n", "b.py": b"plain = 1\n"}
    assert found.notes[-1] == "ignored, since only a.py, b.py counts: b.ipynb, scratch.ipynb"


def test_notebook_of_another_name_is_no_answer_where_several_are_asked_for(tmp_path, make_notebook):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "x.ipynb").write_bytes(make_notebook(F))
    found = read(tmp_path / "ada", ("a.py", "b.py"))
    assert found.files == {}
    assert len(found.problems) == 2


def test_two_notebooks_for_one_file_are_not_chosen_between(tmp_path, make_notebook):
    (tmp_path / "ada").mkdir()
    for name in ("x.ipynb", "y.ipynb"):
        (tmp_path / "ada" / name).write_bytes(make_notebook(F))
    found = read(tmp_path / "ada", (NAME,))
    assert found.problems == (f"{NAME} is there more than once (x.ipynb, y.ipynb): keep one",)
