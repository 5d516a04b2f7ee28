"""A course of one tiny assignment, a notebook's names without a notebook, and real kernels."""

from __future__ import annotations

import json
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner, Result
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import v4

from dlquiz import handouts
from dlquiz.notebooks.checking import check_namespace
from dlquiz.notebooks.report import Checked

README = """\
# Sums

Write two functions.

| problem | you write | points |
| --- | --- | --- |
| `total` | `total` | 4 |
| `mean` | the function `mean` | 6 |

## `total(values)`

The sum.

```python
# not a heading
```

### An example

1 + 2 = 3.

## Other things

Nothing.
"""

STUB = '''\
"""Sums of numbers."""

import math

LIMIT = 3


# Given.
def helper(values):
    """A list of floats. Given."""
    return [float(value) for value in values]


def total(values):
    """The sum of `values`, shape (n,), as a float; 0 for none."""
    raise NotImplementedError


def mean(values):
    """The mean of `values`, shape (n,), as a float."""
    raise NotImplementedError
'''

TESTS = '''\
import numpy as np
import pytest


@pytest.mark.problem("total")
@pytest.mark.hint("Does every number <b>count</b>?")
def test_total(student, rng):
    """Every number counts."""
    values = rng.normal(size=3)
    np.testing.assert_allclose(student.total(values), values.sum())


@pytest.mark.problem("total")
@pytest.mark.needs("test_total")
def test_total_of_none(student):
    """No numbers have the sum 0."""
    assert student.total([]) == 0


@pytest.mark.problem("mean")
def test_mean(student):
    """The mean of some numbers."""
    np.testing.assert_allclose(student.mean(np.array([2.0, 4.0])), 3)


@pytest.mark.problem("mean")
def test_mean_of_none(student):
    """No numbers are refused."""
    with pytest.raises(ValueError):
        student.mean([])
'''

MANIFEST = """\
title = "Sums & more"
topics = ["relu"]
submit = ["sums.py"]
forbidden = ["numpy.mean", "numpy.linalg"]
[limits]
seconds = 20
call_seconds = 2
memory_mb = 400
[[problem]]
name = "total"
title = "A total"
points = 4
[[problem]]
name = "mean"
title = "A mean"
points = 6
"""

GOOD = {
    "total": "def total(values):\n    return sum(helper(values))",
    "mean": (
        "def mean(values):\n    if not len(values):\n        raise ValueError\n    return total(values) / len(values)"
    ),
}


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; no setting of this machine's user counts."""
    for name in ("XDG_DATA_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The folder of a package in a checkout whose one assignment is `sums`."""
    files = {
        "dlquiz/course.toml": 'order = ["sums"]\n',
        "assignments/sums/assignment.toml": MANIFEST,
        "assignments/sums/handout/README.md": README,
        "assignments/sums/handout/sums.py": STUB,
        "assignments/sums/handout/test_public.py": TESTS,
    }
    for name, text in files.items():
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "checkout" / name).write_text(text)
    return tmp_path / "checkout" / "dlquiz"


@pytest.fixture
def sums(package: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as what is installed here."""
    found = handouts._found(package)
    monkeypatch.setattr(handouts, "_found", lambda _: found)
    return package


@pytest.fixture
def dlquiz() -> Callable[..., Result]:
    """Run the command in this process."""

    def run(*words: Any) -> Result:
        from dlquiz.cli import main

        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


class Names(dict[str, Any]):
    """The names of a notebook that IPython 7 would run, cell by cell."""

    def run(self, *cells: str) -> Names:
        for cell in cells:
            number = self.setdefault("_cells", 0) + 1
            self["_cells"] = number
            file = f"<ipython-input-{number}-0>"
            linecache.cache[file] = (len(cell), None, cell.splitlines(keepends=True), file)
            exec(compile(cell, file, "exec"), self)
        return self

    def check(self, **options: Any) -> Checked:
        return check_namespace("sums", self, **options)


@pytest.fixture
def names(sums: Path) -> Names:
    """A notebook in which the stub's imports and given parts were run."""
    return Names({"__name__": "__main__"}).run("import numpy as np", STUB.partition("def total")[0])


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """What the handout of `sums` holds, and right answers by their names."""
    return {"readme": README, "stub": STUB, "tests": TESTS, **GOOD}


Cells = list[nbformat.NotebookNode]


@pytest.fixture
def execute(tmp_path: Path) -> Callable[..., Cells]:
    """Run code cells in a real kernel of this interpreter; the cells with their outputs."""
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "This Python",
        "language": "python",
    }
    folder = tmp_path / "kernels" / "this"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))

    def run(*sources: str, timeout: int = 120) -> Cells:
        notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
        specs = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])
        manager = AsyncKernelManager(kernel_name="this", kernel_spec_manager=specs)
        NotebookClient(notebook, km=manager, timeout=timeout, allow_errors=True).execute()
        return list(notebook.cells)

    return run


@pytest.fixture(scope="session")
def printed() -> Callable[[nbformat.NotebookNode], str]:
    """What a cell wrote to standard output, and its errors."""

    def read(cell: nbformat.NotebookNode) -> str:
        written = [one.text for one in cell.outputs if one.output_type == "stream" and one.name == "stdout"]
        errors = [line for one in cell.outputs if one.output_type == "error" for line in one.traceback]
        return "".join(written) + "\n".join(errors)

    return read


@pytest.fixture(scope="session")
def shown() -> Callable[[nbformat.NotebookNode], str]:
    """The HTML that a cell shows."""

    def read(cell: nbformat.NotebookNode) -> str:
        (result,) = [output for output in cell.outputs if output.output_type == "execute_result"]
        return str(result.data["text/html"])

    return read
