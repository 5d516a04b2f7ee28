"""Notebooks from an installed wheel, with no checkout in reach."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CODE = """\
import sys
import dlquiz
from dlquiz.cli import main

assert dlquiz.__file__.startswith(sys.argv[1]), dlquiz.__file__
main(["start", "normalization", "--notebook"], standalone_mode=False)
found = dlquiz.check("normalization", problems="standardize")
assert (found.passed, found.total) == (0, 2)
print("standardize" in found._repr_html_())
"""


def test_an_installed_wheel_makes_and_checks_notebooks(tmp_path: Path, world: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = (tmp_path / "dist").iterdir()
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    ran = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "site")],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "True"
    assert (world / "normalization" / "normalization.ipynb").is_file()
